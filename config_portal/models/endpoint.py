"""FHIR endpoints and the versions of their configuration that were approved."""

import uuid
from functools import cached_property
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal import canonical
from config_portal.models.organization import Environment, Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import new_id


class FhirEndpointQuerySet(OrganizationScopedQuerySet["FhirEndpoint"]):
    """Ways to reach FHIR endpoints."""

    def approved(self) -> Self:
        """Keep endpoints that have an approved configuration and are not paused."""
        return self.filter(approved_version__isnull=False, is_paused=False)


class FhirEndpoint(models.Model):
    """One FHIR base URL of an organization in one Epic environment.

    ``launch_id`` is the unguessable part of its launch addresses.
    """

    class AssertionAlgorithm(models.TextChoices):
        """How we sign what proves to Epic who we are. Both keys are published; every Epic knows RS384."""

        RS384 = "RS384", "RS384 (RSA)"
        ES384 = "ES384", "ES384 (elliptic curve)"

    class AuthorizeMethod(models.TextChoices):
        """How a launch goes on to Epic's sign-in. Long launch tokens only fit into a form."""

        POST = "POST", "Form (Epic since November 2020)"
        GET = "GET", "Link"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="endpoints")
    name = models.SlugField(help_text="Short name shown in the environment band, such as lamna-test")
    environment = models.CharField(max_length=10, choices=Environment)
    base_url = models.URLField(max_length=500)
    launch_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    provider_client_id = models.CharField(max_length=120, blank=True)
    patient_client_id = models.CharField(max_length=120, blank=True)
    backend_client_id = models.CharField(max_length=120, blank=True)
    assertion_algorithm = models.CharField(max_length=5, choices=AssertionAlgorithm, default=AssertionAlgorithm.RS384)
    authorize_method = models.CharField(max_length=4, choices=AuthorizeMethod, default=AuthorizeMethod.POST)
    time_zone = models.CharField(max_length=64, default="America/Chicago")
    visit_types = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    departments = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    frame_ancestors = ArrayField(
        models.URLField(), default=list, blank=True, help_text="Origins of Epic and MyChart that may frame our pages"
    )
    connection_status = models.JSONField(
        default=dict, blank=True, help_text="How SetExternalConnectionStatus is called; empty means the defaults"
    )
    join_opens_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="How long before the start a patient may join"
    )
    join_closes_minutes = models.PositiveSmallIntegerField(
        default=120, help_text="How long after the planned end a patient may still join"
    )
    approver_username = models.CharField(max_length=200, blank=True)
    is_paused = models.BooleanField(default=False)
    approved_version = models.ForeignKey(
        "ConfigurationVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    discovered = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What the FHIR server said about itself when last asked"
    )
    discovered_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FhirEndpointQuerySet.as_manager()

    class Meta:
        ordering = ["environment", "name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="endpoint_name")]
        indexes = [models.Index(fields=["base_url"], name="endpoint_base_url")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_production(self) -> bool:
        """Whether real patients are behind it."""
        return self.environment == Environment.PRODUCTION


class ConfigurationVersion(models.Model):
    """A snapshot of a FHIR endpoint's configuration as it was shown to, and approved by, the approver.

    ``digest`` is the SHA-256 of the canonical JSON of ``snapshot``.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    snapshot = models.JSONField()
    digest = models.CharField(max_length=64)
    approved_at = models.DateTimeField()
    approved_by = models.CharField(max_length=200)
    approver_tenant_id = models.UUIDField(null=True, blank=True)
    approver_object_id = models.UUIDField(null=True, blank=True)
    epic_issuer = models.CharField(max_length=500, blank=True, help_text="Who vouched for the approver")
    epic_subject = EncryptedTextField(null=True, blank=True)
    epic_signed_in_at = models.DateTimeField(null=True, blank=True)
    entra_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When Entra confirmed the approver's account, user name and roles"
    )
    is_self_approved = models.BooleanField(default=False, help_text="The approver may edit the configuration too")
    restores_number = models.PositiveIntegerField(
        null=True, blank=True, help_text="The earlier version whose content this one has"
    )

    class Meta:
        ordering = ["endpoint", "-number"]
        constraints = [models.UniqueConstraint(fields=["endpoint", "number"], name="configuration_version_number")]

    def __str__(self) -> str:
        return f"{self.endpoint} version {self.number}"

    @cached_property
    def is_as_approved(self) -> bool:
        """Whether the snapshot has the digest that was approved; looked at once, since nobody changes what was read."""
        return canonical.digest(self.snapshot) == self.digest
