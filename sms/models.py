"""Texts to patients: what the hospital chose, what is due, what was sent and what became of it."""

import datetime as dt
import uuid
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from core.models import OutboxQuerySet, OutboxRow, new_id
from visits.models import PatientContact, Visit


class Supplier(models.TextChoices):
    """Who carries the texts."""

    ACS = "acs", "Azure Communication Services"
    TWILIO = "twilio", "Twilio"


class PhoneNumberQuerySet(OrganizationScopedQuerySet["PhoneNumber"]):
    """Ways to reach numbers."""

    def held(self) -> Self:
        """Keep numbers that are ours: not given back, nor about to be."""
        return self.filter(release_requested_at=None)


_10DLC_COUNTRIES = ("US", "PR")


class PhoneNumber(models.Model):
    """A number that texts are sent from; one may serve several FHIR endpoints.

    Carriers block texts from a toll-free number until its verification is approved, and from a local one of the
    United States until its campaign is registered (10DLC). ``supplier_id`` is the supplier's own id of the number.
    """

    class Kind(models.TextChoices):
        """What sort of number it is; the values of :class:`sms.providers.numbers.NumberKind`."""

        TOLL_FREE = "toll_free", "Toll-free"
        LOCAL = "local", "Local"
        MOBILE = "mobile", "Mobile"

    class Verification(models.TextChoices):
        """What carriers say about it; the values of :class:`sms.providers.numbers.Verification`."""

        NOT_NEEDED = "not_needed", "Not needed"
        NOT_SUBMITTED = "not_submitted", "Not submitted"
        PENDING = "pending", "In review"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    BLOCKED = (Verification.NOT_SUBMITTED, Verification.PENDING, Verification.REJECTED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="phone_numbers")
    number = models.CharField(max_length=16, help_text="E.164")
    supplier = models.CharField(max_length=10, choices=Supplier)
    supplier_id = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TOLL_FREE)
    country = models.CharField(max_length=2, default="US", help_text="ISO 3166-1 code")
    verification = models.CharField(max_length=14, choices=Verification, default=Verification.NOT_SUBMITTED)
    verification_reason = models.CharField(max_length=200, blank=True, help_text="Why carriers rejected it")
    verification_by = models.CharField(max_length=200, blank=True, help_text="Who said so: a person, or the supplier")
    verification_at = models.DateTimeField(null=True, blank=True)
    release_requested_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    messaging_service_sid = models.CharField(
        max_length=34, blank=True, help_text="Twilio: send through this Messaging Service instead of the bare number"
    )
    per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Most texts a minute; empty for what the supplier usually allows a number"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PhoneNumberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(released_at=None), name="phone_number_held_once"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_blocked_by_carriers(self) -> bool:
        """Whether carriers drop what it sends: it has to be verified or registered, and is not."""
        return self.is_registered_with_carriers and self.verification in self.BLOCKED

    @property
    def is_registered_with_carriers(self) -> bool:
        """Whether carriers let it send only once it is verified (toll-free) or its campaign registered (10DLC)."""
        return self.kind == self.Kind.TOLL_FREE or self.is_10dlc

    @property
    def carriers_register(self) -> str:
        """What carriers call it, in words."""
        return "10DLC registration" if self.is_10dlc else "toll-free verification"

    @property
    def is_10dlc(self) -> bool:
        """Whether it is a local number of the United States, whose texts belong to a registered campaign."""
        return self.kind == self.Kind.LOCAL and self.country in _10DLC_COUNTRIES


def default_reminders() -> list[int]:
    """Return the usual reminders: one day and two hours before, in minutes."""
    return [24 * 60, 2 * 60]


class SmsConfiguration(models.Model):
    """What is texted for one FHIR endpoint.

    An approval covers it, except ``is_paused`` and ``released_percent``: they are for emergencies and for
    the first days, and act at once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.OneToOneField(FhirEndpoint, on_delete=models.CASCADE, related_name="sms_configuration")
    number = models.ForeignKey(PhoneNumber, on_delete=models.PROTECT, null=True, blank=True)
    confirms_scheduled = models.BooleanField(default=True)
    confirms_moved = models.BooleanField(default=True)
    confirms_cancelled = models.BooleanField(default=True)
    reminder_minutes = ArrayField(models.PositiveIntegerField(), default=default_reminders, blank=True)
    quiet_from = models.TimeField(
        null=True, blank=True, default=dt.time(20), help_text="Local time from which no text may ring; empty: never"
    )
    quiet_until = models.TimeField(
        null=True, blank=True, default=dt.time(8), help_text="Local time until which no text may ring; empty: never"
    )
    visit_cap = models.PositiveSmallIntegerField(
        default=12, help_text="Most texts to one patient about one visit in 24 hours"
    )
    organization_cap = models.PositiveIntegerField(
        default=20_000, help_text="Most texts of the whole organization in 24 hours; more wait"
    )
    failover_number = models.ForeignKey(
        PhoneNumber,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Another supplier's number that takes over when the first cannot send or does not deliver",
    )
    is_paused = models.BooleanField(default=False, help_text="Nothing is sent while this is on; acts at once")
    released_percent = models.PositiveSmallIntegerField(
        default=100, help_text="Share of visits that are texted about, for a careful start; acts at once"
    )

    def __str__(self) -> str:
        return f"texts of {self.endpoint}"


class SmsMessageQuerySet(  # type: ignore[override]  # the plugin compares the as_manager of both bases
    OutboxQuerySet["SmsMessage"], OrganizationScopedQuerySet["SmsMessage"]
):
    """Ways to reach texts."""

    def open(self) -> Self:
        """Keep texts that no worker has begun to send."""
        return self.filter(state=SmsMessage.State.PENDING)


class SmsMessage(OutboxRow):
    """One text to one patient: made once for each schedule version, number, kind and reminder offset.

    The wording is made when it is sent, from what is true then; neither it nor the number is kept.
    ``id`` is also the key under which the supplier recognises a repetition.
    """

    class Kind(models.TextChoices):
        """What a text is about."""

        SCHEDULED = "scheduled", "Confirmation"
        MOVED = "moved", "New time"
        CANCELLED = "cancelled", "Cancellation"
        REMINDER = "reminder", "Reminder"

    class State(models.TextChoices):
        """Where a text stands; a supplier accepting it says nothing about the phone."""

        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        ACCEPTED = "accepted", "Sent"
        DELIVERED = "delivered", "Delivered"
        UNDELIVERED = "undelivered", "Not delivered"
        FAILED = "failed", "Refused"
        UNKNOWN = "unknown", "Unknown"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Too late"
        SUPPRESSED = "suppressed", "Not sent"

    class ReportStatus(models.TextChoices):
        """What the SMS report says of a text: the statuses that Microsoft's own report has."""

        SENT = "sent", "Sent"
        BLOCKED_BY_RECIPIENT = "blocked_by_recipient", "Not delivered - blocked by recipient"
        INVALID_NUMBER = "invalid_number", "Not delivered - invalid number"
        NO_SUCH_NUMBER = "no_such_number", "Not delivered - number does not exist"
        BLOCKED_NUMBER = "blocked_number", "Not delivered - blocked number"
        UNREACHABLE = "unreachable", "Not delivered - unreachable"
        SPAM = "spam", "Not delivered - spam detected"
        RECIPIENT_BLOCKED = "recipient_blocked", "Not delivered - recipient blocked"
        OTHER_ERROR = "other_error", "Not delivered - other error"

    FIRST_ROUTE, SECOND_ROUTE, FIRST_AGAIN = 0, 1, 2

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sms_messages")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="sms_messages")
    contact = models.ForeignKey(
        PatientContact, on_delete=models.SET_NULL, null=True, blank=True, related_name="sms_messages"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    visit_version = models.PositiveIntegerField()
    contact_revision = models.PositiveSmallIntegerField()
    offset_minutes = models.PositiveIntegerField(default=0, help_text="Reminders: how long before the start")
    expires_at = models.DateTimeField(help_text="After this it would only confuse")
    copy = models.PositiveSmallIntegerField(default=0, help_text="0, or which repetition that staff asked for")
    resend_reason = models.CharField(max_length=200, blank=True, help_text="Why staff had it sent again")
    route = models.PositiveSmallIntegerField(
        default=0, help_text="0: by the endpoint's number; 1: by its second one; 2: by the first once more"
    )
    number = models.ForeignKey(PhoneNumber, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    supplier = models.CharField(max_length=10, choices=Supplier, blank=True)
    supplier_message_id = models.CharField(max_length=120, blank=True)
    supplier_code = models.CharField(max_length=40, blank=True)
    report_status = models.CharField(max_length=24, choices=ReportStatus, blank=True)
    segments = models.PositiveSmallIntegerField(default=0)
    words_index = models.CharField(
        max_length=64, blank=True, help_text="HMAC of the words last handed over: they are found by it at the supplier"
    )
    number_ending = models.CharField(max_length=2, blank=True, help_text="Last two digits, erased with the number")
    first_sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True, help_text="When to ask the supplier about an unknown text")
    checks = models.PositiveSmallIntegerField(default=0, help_text="How often the supplier did not know the text")

    hand_over_before: float = 0.0
    """Only while a worker holds it: when, on its own clock (``time.monotonic``), it is too late to begin the call."""

    objects = SmsMessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "visit_version", "contact_revision", "kind", "offset_minutes", "copy"],
                name="sms_once",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="sms_due"),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="sms_claimed"),
            models.Index(fields=["check_at"], condition=models.Q(state="unknown"), name="sms_unknown"),
            models.Index(fields=["supplier_message_id"], name="sms_by_supplier_id"),
            models.Index(fields=["organization", "created_at"], name="sms_by_organization"),
            models.Index(fields=["organization", "due_at"], name="sms_by_due_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def key(self) -> uuid.UUID:
        """The idempotency key given to the supplier: another one for the second route, which is another text to it."""
        return self.id if self.route == 0 else uuid.uuid5(self.id, str(self.route))


class DeliveryEvent(models.Model):
    """Something a supplier told us about a text; each is kept once."""

    message = models.ForeignKey(SmsMessage, on_delete=models.CASCADE, related_name="delivery_events")
    supplier = models.CharField(max_length=10, choices=Supplier)
    event_id = models.CharField(max_length=120)
    supplier_message_id = models.CharField(max_length=120, blank=True, db_index=True)
    state = models.CharField(max_length=12)
    code = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "event_id"], name="delivery_event_once")]

    def __str__(self) -> str:
        return f"{self.state} {self.code}"


class OptOut(models.Model):
    """A number whose owner wants no texts of an organization; only an index of it is kept.

    The index is another one in every organization, so that nobody can tell who is a patient of two.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="opt_outs")
    phone_index = models.CharField(max_length=64)
    source = models.CharField(max_length=20, help_text="reply, supplier or staff")
    words = models.CharField(max_length=20, blank=True, help_text="keyword or phrase, never the text itself")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "phone_index"], condition=models.Q(ended_at=None), name="one_open_opt_out"
            )
        ]

    def __str__(self) -> str:
        return f"opt-out by {self.source}"


from sms.engine_models import (  # noqa: E402 - they point at the models above
    InboundAction,
    InboundText,
    NumberPace,
    OutcomeHour,
    SupplierHealth,
    UsageHour,
)
from sms.setup_models import NumberOrder, SmsConsent, SmsTemplate  # noqa: E402 - as above

__all__ = [
    "DeliveryEvent",
    "InboundAction",
    "InboundText",
    "NumberOrder",
    "NumberPace",
    "OptOut",
    "OutcomeHour",
    "PhoneNumber",
    "SmsConfiguration",
    "SmsConsent",
    "SmsMessage",
    "SmsTemplate",
    "Supplier",
    "SupplierHealth",
    "UsageHour",
]
