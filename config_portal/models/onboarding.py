"""How an organization comes to be here, and what it may use."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from config_portal.models.endpoint import FhirEndpoint
from config_portal.models.organization import Organization, OrganizationScopedQuerySet, Region
from core.models import new_id


class AccessRequest(models.Model):
    """A hospital's wish to use the connector, stated by its Microsoft 365 admin after signing in."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    tenant_id = models.UUIDField()
    region = models.CharField(max_length=16, choices=Region)
    epic_contact_name = models.CharField(max_length=120)
    epic_contact_email = models.EmailField()
    prerequisites = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was declined; shown to who asked")
    organization = models.ForeignKey(Organization, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "name"], condition=Q(state="waiting"), name="one_waiting_access_request"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.get_state_display().lower()}"


class Subscription(models.Model):
    """A record that an organization pays for, or is given, production use; production needs one that is current."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="subscriptions")
    reference = models.CharField(max_length=60, help_text="Order or contract number")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day; empty means until cancelled")
    recorded_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_on"]
        constraints = [models.UniqueConstraint(fields=["organization", "reference"], name="subscription_reference")]

    def __str__(self) -> str:
        return f"{self.reference} of {self.organization}"


class BaseUrlInvitation(models.Model):
    """Leave for an affiliate to use the FHIR base URL of ``endpoint`` as well; good once.

    The code is given to the affiliate by whoever made it; only its HMAC is kept.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="base_url_invitations")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="invitations")
    affiliate = models.CharField(max_length=120, help_text="Who it is meant for")
    code_index = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Organization, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = OrganizationScopedQuerySet["BaseUrlInvitation"].as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"invitation of {self.affiliate} to {self.endpoint}"
