"""What an organization sets up before the first text: consents, numbers being bought, its own wording."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models

from config_portal.models import Organization, OrganizationScopedQuerySet
from core.models import new_id


class SmsConsent(models.Model):
    """One of the two things an organization has to agree to before texts are sent: who said it, when, in which words.

    Rows are never changed but for the withdrawal; agreeing anew makes another row.
    """

    class Kind(models.TextChoices):
        """What is agreed to."""

        PATIENTS = "patients", "Patients have agreed"
        PROCESSING = "processing", "Processing of phone numbers"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sms_consents")
    kind = models.CharField(max_length=12, choices=Kind)
    wording = models.TextField(help_text="The sentence as it stood beside the box")
    given_by = models.CharField(max_length=200)
    given_at = models.DateTimeField()
    withdrawn_by = models.CharField(max_length=200, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind"],
                condition=models.Q(withdrawn_at=None),
                name="one_consent_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, by {self.given_by}"


class NumberOrderQuerySet(OrganizationScopedQuerySet["NumberOrder"]):
    """Ways to reach orders of numbers."""

    def open(self) -> Self:
        """Keep orders that are under way."""
        return self.filter(state__in=NumberOrder.OPEN)

    def to_advance(self, now: datetime) -> Self:
        """Keep orders whose next step is due and that no worker holds."""
        free = models.Q(lease_until=None) | models.Q(lease_until__lte=now)
        return self.open().filter(free, next_at__lte=now)


class NumberOrder(models.Model):
    """A number being got from a supplier: searched, reserved, bought.

    Each step is stored before the next begins, so that any worker can go on after a crash, and nothing is
    bought twice.
    """

    class State(models.TextChoices):
        """How far it is."""

        SEARCHING = "searching", "Searching"
        RESERVING = "reserving", "Reserving"
        BUYING = "buying", "Buying"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN = (State.SEARCHING, State.RESERVING, State.BUYING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="number_orders")
    supplier = models.CharField(max_length=10)
    country = models.CharField(max_length=2)
    kind = models.CharField(max_length=10)
    area_code = models.CharField(max_length=6, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.SEARCHING)
    operation = models.CharField(max_length=200, blank=True, help_text="The supplier's name of what it is doing")
    is_started = models.BooleanField(default=False, help_text="Whether the supplier was asked for this step")
    number = models.CharField(max_length=16, blank=True, help_text="E.164, once one was found")
    offer_reference = models.CharField(max_length=80, blank=True)
    offer_expires_at = models.DateTimeField(null=True, blank=True)
    price = models.CharField(max_length=40, blank=True)
    searches = models.PositiveSmallIntegerField(default=0)
    purchase_started_at = models.DateTimeField(null=True, blank=True, help_text="Stored before the supplier is asked")
    error_code = models.CharField(max_length=80, blank=True)
    requested_by = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(help_text="When it was begun, or resumed")
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, help_text="Unanswered questions, one after another")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    phone_number = models.ForeignKey(
        "sms.PhoneNumber", on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = NumberOrderQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also what makes a second click harmless.
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(state__in=["searching", "reserving", "buying"]),
                name="one_open_number_order",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=models.Q(state__in=["searching", "reserving", "buying"]),
                name="number_order_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it is under way."""
        return self.state in self.OPEN

    def age(self, now: datetime) -> timedelta:
        """Return how long it has been under way since it was begun or resumed."""
        return now - self.started_at


class SmsTemplate(models.Model):
    """An organization's own words for one kind of text in one language; drafts until an approval covers them."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sms_templates")
    language = models.CharField(max_length=8, help_text="ISO 639-1")
    kind = models.CharField(max_length=10)
    body = models.TextField(max_length=600)
    changed_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField(auto_now=True)

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "language", "kind"], name="one_template_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.language}"
