"""Keys of scripts: what a script may do for one organization, until when."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config_portal.models.organization import Organization, OrganizationScopedQuerySet
from core.models import new_id


class Scope(models.TextChoices):
    """What a token may do. Nothing approves: an approval needs a person who signs in to Epic."""

    ORGANIZATION_READ = "organization:read", "Read the organization and its configuration file"
    ORGANIZATION_WRITE = "organization:write", "Change what the organization says about itself"
    KEYS_READ = "keys:read", "Read public keys and how far their rotation is"
    KEYS_WRITE = "keys:write", "Publish new keys, switch to them, withdraw replaced ones"
    TEAMS_READ = "teams:read", "Read the Teams tenant, without its secrets"
    TEAMS_WRITE = "teams:write", "Change the Teams tenant, its certificate and secret"
    ENDPOINTS_READ = "endpoints:read", "Read FHIR base URLs, their versions and differences"
    ENDPOINTS_WRITE = "endpoints:write", "Change drafts of FHIR base URLs, ask for approval, restore a version"
    ENDPOINTS_PAUSE = "endpoints:pause", "Pause connections and let them run again"
    SMS_READ = "sms:read", "Read consents, phone numbers and what is texted"
    SMS_WRITE = "sms:write", "Change what is texted, get phone numbers, give consent"
    HL7_READ = "hl7:read", "Read sender certificates and how senders are watched"
    HL7_WRITE = "hl7:write", "Add and revoke sender certificates, watch senders"
    WRITEBACK_READ = "writeback:read", "Read how Epic is told"
    WRITEBACK_WRITE = "writeback:write", "Change how Epic is told"
    PREFLIGHT_READ = "preflight:read", "Read pre-flight checks"
    PREFLIGHT_RUN = "preflight:run", "Run the pre-flight check"
    RECORDS_READ = "records:read", "Read integration records and compare them with Epic's"
    REPORTS_READ = "reports:read", "Read reports, without Epic's numbers of visits"
    AUDIT_READ = "audit:read", "Read the audit trail"


class ApiTokenQuerySet(OrganizationScopedQuerySet["ApiToken"]):
    """Ways to reach tokens."""

    def usable(self, now: datetime) -> Self:
        """Keep tokens that were not revoked and have not expired."""
        return self.filter(Q(expires_at__gt=now), revoked_at=None)


class ApiToken(models.Model):
    """A token of one organization; only its SHA-256 is stored, and a few letters to recognize it by."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8, help_text="The first letters of the token")
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope))
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=200, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
