"""Who uses the connector, and how it reaches their Epic and their Microsoft 365.

Everything a hospital sets is here as a draft; what runs is the last *approved*
:class:`ConfigurationVersion` of a FHIR endpoint, read through :mod:`config_portal.services.connections`.
"""

from config_portal.models.api_token import ApiToken
from config_portal.models.approval import ApprovalRequest, ApproverBinding, EpicSignIn
from config_portal.models.endpoint import ConfigurationVersion, FhirEndpoint, FhirEndpointQuerySet
from config_portal.models.keys import SigningKey, SigningKeyQuerySet
from config_portal.models.onboarding import AccessRequest, BaseUrlInvitation, Subscription
from config_portal.models.organization import (
    Environment,
    Membership,
    Organization,
    OrganizationQuerySet,
    OrganizationScopedQuerySet,
    Region,
)
from config_portal.models.preflight import PreflightLine, PreflightRun
from config_portal.models.teams import LobbyScope, MeetingChat, OrganizerMode, Presenters, TeamsTenant

__all__ = [
    "AccessRequest",
    "ApiToken",
    "ApprovalRequest",
    "ApproverBinding",
    "BaseUrlInvitation",
    "ConfigurationVersion",
    "Environment",
    "EpicSignIn",
    "FhirEndpoint",
    "FhirEndpointQuerySet",
    "LobbyScope",
    "MeetingChat",
    "Membership",
    "Organization",
    "OrganizationQuerySet",
    "OrganizationScopedQuerySet",
    "OrganizerMode",
    "PreflightLine",
    "PreflightRun",
    "Presenters",
    "Region",
    "SigningKey",
    "SigningKeyQuerySet",
    "Subscription",
    "TeamsTenant",
]
