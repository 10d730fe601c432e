"""Reports that somebody keeps, and has sent to people."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import User
from config_portal.models import Organization, OrganizationScopedQuerySet
from core.models import new_id


class SavedView(models.Model):
    """A report with everything that was chosen on it; ``query`` is that of its address.

    It may be sent by e-mail: ``next_at`` is when next, None while it is not sent.
    """

    class Tab(models.TextChoices):
        """Which report it is."""

        APPOINTMENTS = "appointments", "Virtual appointments"
        DURATION = "duration", "Duration"
        EHR = "ehr", "EHR"
        SMS = "sms", "SMS"
        QUALITY = "quality", "Call quality"

    class Cadence(models.TextChoices):
        """How often it is sent."""

        NEVER = "", "Not at all"
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every Monday"
        MONTHLY = "monthly", "On the first of each month"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    tab = models.CharField(max_length=12, choices=Tab)
    query = models.CharField(max_length=1000, blank=True)
    is_shared = models.BooleanField(default=False, help_text="Everybody who reads the organization's reports sees it")
    cadence = models.CharField(max_length=8, choices=Cadence, default=Cadence.NEVER, blank=True)
    recipients = ArrayField(models.EmailField(), default=list, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "owner", "name"], name="saved_view_name")]
        indexes = [models.Index(fields=["next_at"], condition=~Q(next_at=None), name="saved_view_due")]

    def __str__(self) -> str:
        return self.name
