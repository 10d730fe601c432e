"""How picture and sound were, from Teams' call records."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import Organization, OrganizationScopedQuerySet
from core.models import OutboxQuerySet, OutboxRow
from visits.models import Visit


class CallSweep(models.Model):
    """Up to when an organization's call records were looked through; ``deep_at`` is when its last days were again."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="+")
    swept_until = models.DateTimeField(null=True)
    deep_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    error_code = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return f"call records up to {self.swept_until}"


class CallNews(OutboxRow):
    """A call that Graph says has a record, or a newer one; gone once it was looked at, whosever call it is."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    graph_id = models.UUIDField()

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "graph_id"], name="call_news_once")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="call_news_due")]

    def __str__(self) -> str:
        return f"news of {self.graph_id}"


class CallRecord(models.Model):
    """One call of a visit's meeting; a higher ``version`` replaces what was known of it."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="call_records")
    graph_id = models.UUIDField()
    version = models.PositiveBigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    good = models.PositiveIntegerField(default=0)
    poor = models.PositiveIntegerField(default=0)
    unclassified = models.PositiveIntegerField(default=0)

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "graph_id"], name="call_record_once")]
        indexes = [models.Index(fields=["organization", "started_at"], name="call_record_by_start")]

    def __str__(self) -> str:
        return f"call record {self.graph_id}"


class CallStream(models.Model):
    """One stream of audio, video or screen sharing, with what was measured; of the person no more than their side."""

    record = models.ForeignKey(CallRecord, on_delete=models.CASCADE, related_name="streams")
    kind = models.CharField(max_length=6)
    is_staff = models.BooleanField(help_text="Sent or received by somebody of the hospital's tenant")
    platform = models.CharField(max_length=20, blank=True)
    product = models.CharField(max_length=40, blank=True)
    network = models.CharField(max_length=20, blank=True)
    measures = models.JSONField(default=dict)
    verdict = models.CharField(max_length=12)
    due_to = ArrayField(models.CharField(max_length=20), default=list)

    def __str__(self) -> str:
        return f"{self.verdict} {self.kind}"
