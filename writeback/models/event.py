"""What Epic must be told about who is in a visit: one row per change, sent in order per person."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from core.models import OutboxQuerySet, OutboxRow
from meetings.models import Meeting, Participant, PresenceEvent
from visits.models import Visit

# Why a row cannot be sent; a launch may bring what is missing.
NO_CONFERENCE_ID = "writeback.no_conference_id"
NO_PATIENT = "writeback.no_patient"


class WritebackQuerySet(  # type: ignore[override]  # the plugin compares the as_manager of both bases
    OutboxQuerySet["WritebackEvent"], OrganizationScopedQuerySet["WritebackEvent"]
):
    """Ways to reach write-backs."""

    def first_in_line(self) -> Self:
        """Keep rows before which nothing of the same participant is still open.

        Different participants go on in parallel; a participant's later news waits for the earlier.
        """
        earlier = self.model._default_manager.filter(
            participant=OuterRef("participant"), sequence__lt=OuterRef("sequence"), state__in=WritebackEvent.OPEN
        )
        return self.filter(~Exists(earlier))

    def held(self) -> Self:
        """Keep rows that cannot be sent because an id is not known that Epic needs."""
        return self.filter(state=WritebackEvent.State.NOT_SENDABLE)

    def ready_to_release(self) -> Self:
        """Keep held rows for which a launch has brought since what was missing."""
        has_conference = Q(error_code=NO_CONFERENCE_ID, visit__conference_id__isnull=False)
        has_patient = Q(error_code=NO_PATIENT, visit__fhir_patient_id__isnull=False)
        return self.held().filter(has_conference | has_patient)

    def claimable(self, now: datetime) -> Self:
        """Keep rows that may be claimed at ``now``."""
        return self.due_before(now).first_in_line()

    def stopped(self) -> Self:
        """Keep rows that need a person: nothing more happens to them by itself."""
        return self.filter(state__in=[WritebackEvent.State.FAILED, WritebackEvent.State.UNKNOWN])


class WritebackEvent(OutboxRow):
    """A participant connected or disconnected, or a device test ended; to be told to Epic.

    ``sequence`` is that of the presence event, ``source`` where we heard of it. A device test has no participant:
    it may be days before the meeting; ``device_test_id`` says which it was and ``result`` how each part ended.
    ``means`` is how Epic was told in the last attempt, ``response_ms`` how long it took to answer, in milliseconds,
    ``http_status`` and ``epic_code`` what it answered; they are empty when no answer came. ``request_id`` is that
    of the launch that brought the person.
    """

    class State(models.TextChoices):
        """Where the row stands."""

        PENDING = OutboxRow.PENDING, "Waiting to be sent"
        SENDING = OutboxRow.SENDING, "Being sent"
        ACCEPTED = "accepted", "Accepted by Epic"
        FAILED = "failed", "Failed"
        NOT_SENDABLE = "not_sendable", "Not sendable"
        UNKNOWN = "unknown", "Outcome unknown"
        HANDLED = "handled", "Handled by hand"

    class Kind(models.TextChoices):
        """What changed."""

        CONNECTED = "connected", "Connected"
        DISCONNECTED = "disconnected", "Disconnected"
        DEVICE_TEST = "device_test", "Device test"

    Source = PresenceEvent.Source

    # What holds up a participant's later rows. A final state does not: the last news must still arrive.
    OPEN = (State.PENDING, State.SENDING, State.NOT_SENDABLE)

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="writebacks")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.PROTECT, related_name="writebacks")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="writebacks")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, null=True, blank=True, related_name="writebacks")
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, null=True, blank=True, related_name="writebacks"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    sequence = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=10, choices=PresenceEvent.Source, default=PresenceEvent.Source.GRAPH)
    device_test_id = models.UUIDField(null=True, blank=True, unique=True)
    result = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField()
    response_ms = models.PositiveIntegerField(null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    means = models.CharField(max_length=20, blank=True)
    epic_code = models.CharField(max_length=40, blank=True, help_text="Epic's own code for a refusal")
    request_id = models.CharField(max_length=64, blank=True)
    handled_by = models.CharField(max_length=200, blank=True)
    handled_reason = models.CharField(max_length=200, blank=True)

    objects = WritebackQuerySet.as_manager()

    class Meta:
        ordering = ["occurred_at", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "kind", "sequence"], name="writeback_once"),
            models.CheckConstraint(
                condition=Q(participant__isnull=False, meeting__isnull=False, device_test_id=None)
                | Q(kind="device_test", device_test_id__isnull=False),
                name="writeback_of_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], condition=Q(state="pending"), name="writeback_due"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="writeback_lease"),
            models.Index(
                fields=["participant", "sequence"],
                condition=Q(state__in=["pending", "sending", "not_sendable"]),
                name="writeback_open",
            ),
            models.Index(
                fields=["organization", "occurred_at"],
                condition=Q(state__in=["failed", "unknown", "not_sendable"]),
                name="writeback_stopped",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.occurred_at:%H:%M:%S}"

    @property
    def needs_a_person(self) -> bool:
        """Whether nothing more happens to it by itself, or only once somebody mends the integration record."""
        return self.state in {self.State.FAILED, self.State.UNKNOWN, self.State.NOT_SENDABLE}

    @property
    def who(self) -> str:
        """Whom it is about, such as ``Patient 1``; a device test is the patient's."""
        return self.participant.label if self.participant else "Patient"
