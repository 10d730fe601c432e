"""What is known of senders besides their messages: who was not let in, and whose silence worries."""

from datetime import datetime, timedelta
from typing import Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from core.models import new_id


class RefusedSenderQuerySet(OrganizationScopedQuerySet["RefusedSender"]):
    """Ways to reach refused senders."""

    def visible_to(self, organization: Organization) -> Self:
        """Keep what concerns ``organization``: its own certificates, and strangers if nobody else can be meant."""
        own = Q(organization=organization)
        is_alone = not Organization.objects.exclude(pk=organization.pk).exists()
        return self.filter(own | Q(organization=None) if is_alone else own)


class RefusedSender(models.Model):
    """Somebody who tried to send and was not let in: one row for each address and reason, counted.

    ``organization`` and ``certificate`` are known when a certificate was shown that once was registered here.
    """

    KEPT = timedelta(days=90)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="refused_senders"
    )
    certificate = models.ForeignKey(
        "SenderCertificate", on_delete=models.CASCADE, null=True, blank=True, related_name="refusals"
    )
    peer = models.CharField(max_length=64, help_text="Address it came from")
    reason = models.CharField(max_length=80)
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = RefusedSenderQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["peer", "reason"], condition=Q(certificate=None), name="one_refusal_of_a_stranger"
            ),
            models.UniqueConstraint(
                fields=["peer", "reason", "certificate"],
                condition=Q(certificate__isnull=False),
                name="one_refusal_of_a_certificate",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-last_at"], name="refused_by_time")]

    def __str__(self) -> str:
        return f"{self.peer}: {self.reason}"


class SenderWatch(models.Model):
    """After how long a silence of an endpoint's sender somebody is told; without a row: after a day."""

    DEFAULT_HOURS, LONGEST_HOURS = 24, 720

    endpoint = models.OneToOneField(
        FhirEndpoint, on_delete=models.CASCADE, primary_key=True, related_name="sender_watch"
    )
    hours = models.PositiveSmallIntegerField(
        default=DEFAULT_HOURS, validators=[MaxValueValidator(LONGEST_HOURS)], help_text="0 to 720; 0 tells nobody"
    )
    alerted_at = models.DateTimeField(null=True, blank=True, help_text="When the silence that lasts was told")
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="The same, once it was e-mailed")

    def __str__(self) -> str:
        return f"watch on {self.endpoint_id}"

    def is_overdue(self, last_at: datetime | None, *, now: datetime) -> bool:
        """Whether a sender that was heard of ``last_at`` is silent for too long; one never heard of is not."""
        return bool(self.hours and last_at and now - last_at > timedelta(hours=self.hours))
