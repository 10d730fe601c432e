"""From stored settings to the adapter of the online meetings."""

import uuid
from dataclasses import dataclass, field

from django.conf import settings

from config_portal.models import FhirEndpoint, TeamsTenant
from config_portal.models.teams import OrganizerMode
from config_portal.services.connections import approved_configuration
from core.errors import ConfigurationError
from core.http import shared_session
from core.queries import Lookup
from meetings.models import Meeting
from meetings.providers.base import MeetingOptions, MeetingProvider
from meetings.providers.teams.connection import ClientCertificate, TeamsConnection
from meetings.providers.teams.provider import TeamsProvider
from meetings.providers.teams.validation import Issuer

_TENANTS = Lookup(TeamsTenant.objects.all, "organization", "tenant_id", "client_id")
# What the approved snapshot calls an option → what the adapter calls it.
_OPTIONS = {"lobby_scope": "lobby_scope", "allowed_presenters": "presenters", "meeting_chat": "chat"}


@dataclass(frozen=True, kw_only=True)
class ApprovedTeams:
    """Where the meetings of a FHIR endpoint are held, as it was approved."""

    tenant_id: uuid.UUID
    client_id: uuid.UUID
    organizer_object_id: uuid.UUID
    organizer_mode: str = OrganizerMode.SERVICE
    options: MeetingOptions = field(default_factory=MeetingOptions)

    @property
    def has_personal_organizers(self) -> bool:
        """Whether meetings belong to the first provider who opens them, so that none may be made before."""
        return self.organizer_mode == OrganizerMode.FIRST_PROVIDER

    def organizer(self, provider: uuid.UUID | None) -> uuid.UUID:
        """Return whose meeting it is when ``provider`` (an account, or nobody we know) opens the visit first."""
        return provider if provider is not None and self.has_personal_organizers else self.organizer_object_id


def approved_teams(endpoint: FhirEndpoint) -> ApprovedTeams:
    """Return tenant, application and organizer from the approved snapshot of ``endpoint``.

    :raises ConfigurationError: ``endpoint.not_approved``, ``endpoint.paused`` or ``teams.not_configured``.
    """
    part = approved_configuration(endpoint).part("teams")
    if not part:
        raise ConfigurationError("teams.not_configured", "No Microsoft 365 tenant is set up for the meetings.")
    return ApprovedTeams(
        tenant_id=uuid.UUID(part["tenant_id"]),
        client_id=uuid.UUID(part["client_id"]),
        organizer_object_id=uuid.UUID(part["organizer_object_id"]),
        organizer_mode=part.get("organizer_mode", OrganizerMode.SERVICE),  # older approvals lack it
        options=MeetingOptions(**{option: part[key] for key, option in _OPTIONS.items() if key in part}),
    )


def provider_of(meeting: Meeting) -> MeetingProvider:
    """Return the adapter for the tenant and application that ``meeting`` was made with.

    :raises ConfigurationError: ``entra.credentials_missing`` when that application is no longer set up here.
    """
    return provider_of_tenant(tenant_of(meeting.organization_id, meeting.tenant_id, meeting.client_id))


def tenant_of(organization_id: uuid.UUID, tenant_id: uuid.UUID, client_id: uuid.UUID) -> TeamsTenant:
    """Return the tenant and application of an organization, with what proves the application.

    :raises ConfigurationError: ``entra.credentials_missing`` when that application is not set up here.
    """
    tenant = _TENANTS.find(organization_id, tenant_id, client_id)
    if tenant is None:
        raise ConfigurationError("entra.credentials_missing", "The connector has no certificate or secret for Entra.")
    return tenant


def provider_of_tenant(tenant: TeamsTenant) -> MeetingProvider:
    """Return the adapter for what concerns a whole tenant, such as its call records."""
    return TeamsProvider(teams_connection(tenant), shared_session())


def teams_connection(tenant: TeamsTenant) -> TeamsConnection:
    """Return the application of ``tenant`` with what proves it: its certificate, else its secret."""
    certificate = None
    if tenant.certificate and tenant.certificate_key:
        certificate = ClientCertificate(certificate=tenant.certificate, private_key=tenant.certificate_key)
    return TeamsConnection(
        entra_base_url=settings.ENTRA_BASE_URL,
        graph_base_url=settings.GRAPH_BASE_URL,
        tenant_id=str(tenant.tenant_id),
        client_id=str(tenant.client_id),
        client_secret="" if certificate else tenant.client_secret or "",
        certificate=certificate,
    )


def token_issuer() -> Issuer:
    """Return who signs the validation tokens of notifications."""
    return Issuer(
        entra_base_url=settings.ENTRA_BASE_URL,
        sts_issuer=settings.ENTRA_STS_ISSUER,
        notifier_app_id=settings.GRAPH_NOTIFIER_APP_ID,
    )
