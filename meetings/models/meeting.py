"""The online meeting of a visit."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import new_id
from visits.models import Visit


class Meeting(models.Model):
    """The one Teams meeting of a visit.

    ``external_id`` is what makes it the only one: Graph's createOrGet answers with the same meeting for the
    same organizer and external id. ``tenant_id``, ``client_id`` and ``organizer_object_id`` are those it was
    made with, so that it can still be changed and deleted after the organization's settings have moved on.
    ``generation`` grows when a deleted meeting is needed again; a new external id comes with it.
    ``sync_due_at`` says since when the meeting in Teams differs from our books; None when it does not.
    ``reconcile_due_at`` says when its attendance reports are to be read next, and ``reconciled_at`` when our
    history was last known to agree with them.
    """

    class State(models.TextChoices):
        """Where the meeting stands."""

        CREATING = "creating", "Being created"
        READY = "ready", "Ready"
        ENDED = "ended", "Ended"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="meetings")
    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="meeting")
    external_id = models.CharField(max_length=64, unique=True)
    generation = models.PositiveSmallIntegerField(default=1)
    tenant_id = models.UUIDField()
    client_id = models.UUIDField()
    organizer_object_id = models.UUIDField()
    graph_id = EncryptedTextField(null=True, blank=True)
    join_web_url = EncryptedTextField(null=True, blank=True)
    patient_join_url = EncryptedTextField(null=True, blank=True)
    dial_in_number = models.CharField(max_length=40, blank=True)
    dial_in_id = models.CharField(max_length=40, blank=True, help_text="What a caller types in")
    patient_link_is_fallback = models.BooleanField(
        default=False, help_text="Patients get the ordinary Teams address because the browser address was not to be had"
    )
    option_differences = models.JSONField(
        default=dict, blank=True, help_text="Options that Teams set otherwise than we asked: name → wanted, got"
    )
    state = models.CharField(max_length=10, choices=State, default=State.CREATING)
    call_ends = ArrayField(models.DateTimeField(), default=list, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    sync_due_at = models.DateTimeField(null=True, blank=True)
    sync_attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=80, blank=True)
    reconcile_due_at = models.DateTimeField(null=True, blank=True)
    reconcile_attempts = models.PositiveSmallIntegerField(default=0)
    reconcile_error = models.CharField(max_length=80, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True)

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "ended_at"], name="meeting_by_end"),
            models.Index(fields=["sync_due_at"], condition=~models.Q(sync_due_at=None), name="meeting_to_synchronize"),
            models.Index(
                fields=["reconcile_due_at"], condition=~models.Q(reconcile_due_at=None), name="meeting_to_reconcile"
            ),
        ]

    def __str__(self) -> str:
        return f"meeting of {self.visit}"

    @property
    def is_joinable(self) -> bool:
        """Whether it has addresses to join by; people may come back to one that ended."""
        return self.state in {self.State.READY, self.State.ENDED}
