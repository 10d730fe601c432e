"""What the sending engine remembers beside the texts: health, pace, use, and what phones wrote."""

from datetime import datetime

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils import timezone

from config_portal.models import Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import OutboxQuerySet, OutboxRow


class SupplierHealth(models.Model):
    """The circuit breaker of a supplier, or of one of its numbers: open while calls keep failing.

    ``key`` is the supplier, or supplier and number (``twilio:<id>``). While it is open nothing goes that
    way until ``retry_at``; then one text is tried, and only if it is taken do the others follow.
    """

    key = models.CharField(primary_key=True, max_length=60)
    supplier = models.CharField(max_length=10)
    number = models.ForeignKey(
        "sms.PhoneNumber", on_delete=models.CASCADE, null=True, blank=True, related_name="health"
    )
    failures = models.PositiveIntegerField(default=0, help_text="One after another")
    openings = models.PositiveIntegerField(default=0, help_text="One after another, without a text taken between")
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return f"{self.key} {'open' if self.is_open else 'closed'}"

    @property
    def is_open(self) -> bool:
        """Whether nothing goes this way for now."""
        return self.opened_at is not None


class NumberPace(models.Model):
    """From when on a number may send its next text, so that all workers together keep its limit.

    ``queued_until`` is when the last of the texts that were told to wait will probably have its turn.
    """

    number = models.OneToOneField("sms.PhoneNumber", on_delete=models.CASCADE, primary_key=True, related_name="pace")
    free_at = models.DateTimeField()
    queued_until = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.number_id} is free at {self.free_at:%H:%M:%S}"


class UsageHour(models.Model):
    """How many texts of an organization were handed to suppliers in one hour; the cap adds the last 24."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    texts = models.PositiveIntegerField(default=0)
    is_capped = models.BooleanField(default=False, help_text="The alarm of this hour was raised")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "hour"], name="sms_usage_hour")]

    def __str__(self) -> str:
        return f"{self.texts} texts from {self.hour:%Y-%m-%d %H}:00"


class OutcomeHour(models.Model):
    """How many texts ended how in one hour, and how late they were sent; what the metrics add up.

    ``late_within`` is the smallest of :data:`LATENESS_SECONDS` that was not exceeded, 0 beyond them all.
    """

    LATENESS_SECONDS = (1, 5, 15, 60, 300, 900, 3600)

    hour = models.DateTimeField()
    supplier = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=16)
    code = models.CharField(max_length=80, blank=True)
    late_within = models.PositiveIntegerField(default=0)
    texts = models.PositiveBigIntegerField(default=0)
    late_seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "supplier", "state", "code", "late_within"], name="sms_outcome_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.texts} {self.state} from {self.hour:%Y-%m-%d %H}:00"


class InboundText(models.Model):
    """That a phone wrote to one of our numbers and what it meant; neither the phone nor its words are kept."""

    class Meaning(models.TextChoices):
        """What the words mean."""

        STOP = "stop", "No more texts"
        START = "start", "Texts again"
        HELP = "help", "Help"
        UNCLEAR = "unclear", "Perhaps no more texts"
        OTHER = "other", "Something else"

    class Handling(models.TextChoices):
        """What a person did about a reply that was not understood."""

        OPT_OUT = "opt_out", "Recorded: no more texts"
        ANSWERED = "answered", "Asked the patient"
        NOTHING = "nothing", "Nothing to do"

    reference = models.UUIDField(unique=True, db_default=RandomUUID(), editable=False, help_text="For addresses")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="inbound_texts")
    number = models.ForeignKey("sms.PhoneNumber", on_delete=models.CASCADE, related_name="inbound_texts")
    visit = models.ForeignKey(
        "visits.Visit", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="The phone's last"
    )
    supplier = models.CharField(max_length=10)
    event_id = models.CharField(max_length=120)
    contact = models.ForeignKey(
        "visits.PatientContact", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    meaning = models.CharField(max_length=8, choices=Meaning)
    at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.CharField(max_length=200, blank=True)
    handling = models.CharField(max_length=8, choices=Handling, blank=True)

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "event_id"], name="inbound_text_once")]
        indexes = [
            models.Index(
                fields=["organization", "at"],
                condition=models.Q(meaning__in=["unclear", "other"]),
                name="inbound_not_understood",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_meaning_display()} at {self.at:%Y-%m-%d %H:%M}"


class InboundAction(OutboxRow):
    """What we owe to a phone that wrote to us: an answer, or word to the supplier. Its number goes with it."""

    DONE, FAILED = "done", "failed"

    class Kind(models.TextChoices):
        """What is to be done."""

        HELP = "help", "Answer a question for help"
        STOPPED = "stopped", "Confirm that texts have ended"
        STARTED = "started", "Confirm that texts come again"
        BLOCK = "block", "Tell the supplier to send nothing to it"
        UNBLOCK = "unblock", "Tell the supplier that texts are wanted again"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    number = models.ForeignKey("sms.PhoneNumber", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    phone = EncryptedTextField(null=True, blank=True)
    language = models.CharField(max_length=8, default="en")
    first_sent_at = models.DateTimeField(null=True, blank=True)
    purge_at = models.DateTimeField()

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="inbound_action_due"),
            models.Index(fields=["purge_at"], condition=~models.Q(phone=None), name="inbound_action_to_purge"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    def is_useful(self, now: datetime) -> bool:
        """Whether it may still be done; later nobody remembers having asked."""
        return now < self.purge_at
