"""Organizations and who works for them."""

from datetime import datetime
from typing import Self, TypeVar

from django.db import models

from accounts.models import Role, User
from core.models import new_id


class Region(models.TextChoices):
    """Where an organization's data is kept; one deployment serves one region."""

    AMERICAS = "americas", "Americas"
    EMEA = "emea", "Europe, Middle East and Africa"
    ASIA_PACIFIC = "asia-pacific", "Asia Pacific"


class Environment(models.TextChoices):
    """Which Epic a FHIR endpoint belongs to."""

    TEST = "test", "Test"
    PRODUCTION = "production", "Production"


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Ways to reach organizations."""

    def for_user(self, user: User) -> Self:
        """Keep the organizations in which ``user`` has a role."""
        return self.filter(memberships__user=user).distinct()


class Organization(models.Model):
    """A hospital or health system."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    region = models.CharField(max_length=16, choices=Region, default=Region.AMERICAS, editable=False)
    country = models.CharField(max_length=2, default="US", help_text="ISO 3166-1 code; how local numbers are read.")
    time_zone = models.CharField(max_length=64, default="America/Chicago")
    help_phone = models.CharField(max_length=20, blank=True, help_text="Shown to patients who need help.")
    epic_contact_name = models.CharField(max_length=120, blank=True)
    epic_contact_email = models.EmailField(blank=True, help_text="Epic technical contact, who is told what to build")
    prerequisites = models.JSONField(default=dict, blank=True, help_text="Confirmed prerequisite → who and when")
    forbids_self_approval = models.BooleanField(
        default=False, help_text="Whoever may edit the configuration may not approve it"
    )
    test_authorized_at = models.DateTimeField(null=True, blank=True, editable=False)
    production_authorized_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def authorized_at(self, environment: str) -> datetime | None:
        """Return since when the organization may use ``environment``; None while it may not."""
        is_production = environment == Environment.PRODUCTION
        return self.production_authorized_at if is_production else self.test_authorized_at


Row = TypeVar("Row", bound=models.Model)


class OrganizationScopedQuerySet(models.QuerySet[Row]):
    """Base of querysets whose rows belong to one organization."""

    def for_user(self, user: User) -> Self:
        """Keep rows of organizations in which ``user`` has a role."""
        return self.filter(organization__memberships__user=user).distinct()

    def for_organization(self, organization: Organization) -> Self:
        """Keep rows of one organization."""
        return self.filter(organization=organization)


class Membership(models.Model):
    """A staff user's role in one organization; written anew at each sign-in from Entra's app roles."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user", "role"], name="membership_role")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.organization}"
