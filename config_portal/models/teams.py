"""Where an organization's meetings are held, and how the connector proves itself there."""

from datetime import UTC, datetime

from django.db import models

from config_portal.models.organization import Organization
from core.crypto import EncryptedTextField
from core.models import new_id


class OrganizerMode(models.TextChoices):
    """Whose account organizes the meetings; a meeting keeps the organizer it began with."""

    SERVICE = "service", "One service account organizes every meeting"
    FIRST_PROVIDER = "first_provider", "The first provider who opens the visit organizes its meeting"


class LobbyScope(models.TextChoices):
    """Who may pass the lobby; names as in Graph's ``lobbyBypassSettings.scope``."""

    MEMBERS = "organizationExcludingGuests", "Staff of the tenant pass; guests and patients wait"
    ORGANIZER = "organizer", "Everybody but the organizer waits"


class Presenters(models.TextChoices):
    """Who may present and admit; names as in Graph's ``allowedPresenters``."""

    ORGANIZATION = "organization", "Staff of the tenant"
    ORGANIZER = "organizer", "Only the organizer"


class MeetingChat(models.TextChoices):
    """When the meeting's chat is open; names as in Graph's ``allowMeetingChat``."""

    LIMITED = "limited", "During the visit only"
    DISABLED = "disabled", "Never"


class TeamsTenant(models.Model):
    """The Microsoft 365 tenant in which an organization's meetings are held.

    A certificate is preferred to a secret. ``next_certificate`` is one that was made here and is not in
    use yet, because it has to be registered with the Entra application first.
    """

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="teams_tenant")
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(help_text="Entra tenant id")
    client_id = models.UUIDField(
        null=True, blank=True, help_text="Application (client) id of the connector in that tenant"
    )
    client_secret = EncryptedTextField(null=True, blank=True)
    client_secret_expires_on = models.DateField(null=True, blank=True)
    certificate = models.TextField(blank=True, help_text="PEM of the public certificate in use")
    certificate_key = EncryptedTextField(null=True, blank=True)
    certificate_expires_at = models.DateTimeField(null=True, blank=True)
    next_certificate = models.TextField(blank=True)
    next_certificate_key = EncryptedTextField(null=True, blank=True)
    next_certificate_expires_at = models.DateTimeField(null=True, blank=True)
    organizer_mode = models.CharField(max_length=16, choices=OrganizerMode, default=OrganizerMode.SERVICE)
    organizer_object_id = models.UUIDField(
        null=True, blank=True, help_text="Entra object id of the account that organizes the meetings"
    )
    lobby_scope = models.CharField(max_length=32, choices=LobbyScope, default=LobbyScope.MEMBERS)
    allowed_presenters = models.CharField(max_length=16, choices=Presenters, default=Presenters.ORGANIZATION)
    meeting_chat = models.CharField(max_length=16, choices=MeetingChat, default=MeetingChat.LIMITED)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Teams tenant {self.tenant_id}"

    @property
    def has_credential(self) -> bool:
        """Whether there is a certificate or a secret to prove ourselves with."""
        return bool(self.certificate) or self.client_secret is not None

    @property
    def is_complete(self) -> bool:
        """Whether meetings can be made with it: application and organizer are known."""
        return self.client_id is not None and self.organizer_object_id is not None

    @property
    def credential_expires_at(self) -> datetime | None:
        """When what is in use lapses: the certificate, or else the start of the secret's last day in UTC."""
        if self.certificate:
            return self.certificate_expires_at
        day = self.client_secret_expires_on
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
