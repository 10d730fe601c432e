"""Key pairs of organizations."""

from typing import Self

from django.db import models

from config_portal.models.organization import Environment, Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import new_id


class SigningKeyQuerySet(OrganizationScopedQuerySet["SigningKey"]):
    """Ways to reach key pairs."""

    def active_for(self, environment: str, purpose: str) -> Self:
        """Keep the key in use for one purpose in one environment: at most one of an organization."""
        return self.filter(environment=environment, purpose=purpose, state=SigningKey.State.ACTIVE)

    def published(self) -> Self:
        """Keep keys that others may still rely on: everything not retired."""
        return self.exclude(state=SigningKey.State.RETIRED)


class SigningKey(models.Model):
    """A key pair of one organization in one environment.

    SMART keys prove to Epic who we are; the notification key is what Graph encrypts meeting events with.
    """

    class Purpose(models.TextChoices):
        """What a key is for."""

        SMART_RS384 = "smart-rs384", "SMART client, RS384"
        SMART_ES384 = "smart-es384", "SMART client, ES384"
        NOTIFICATION = "notification", "Graph notifications"

    class State(models.TextChoices):
        """A key is published first, used later, and stays published for a while after."""

        PUBLISHED = "published", "Published, not used yet"
        ACTIVE = "active", "In use"
        REPLACED = "replaced", "Replaced, still published"
        RETIRED = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="signing_keys")
    environment = models.CharField(max_length=10, choices=Environment)
    purpose = models.CharField(max_length=16, choices=Purpose)
    state = models.CharField(max_length=10, choices=State, default=State.PUBLISHED)
    key_id = models.CharField(max_length=64, unique=True)
    private_key = EncryptedTextField()
    public_jwk = models.JSONField()
    certificate = models.TextField(help_text="PEM of the public certificate")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When Epic first accepted a signature of this key"
    )
    activated_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "environment", "purpose"],
                condition=models.Q(state="active"),
                name="one_active_key_a_purpose",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.key_id}"
