"""What every page of the intake starts from: the endpoints of the organization being worked in."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.models import Role
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from core.page import EnvironmentBand

STAFF = (Role.ADMIN, Role.ANALYST, Role.SUPPORT)


def endpoints_of(request: PortalRequest) -> list[FhirEndpoint]:
    """Return the endpoints of the organization being worked in."""
    return list(FhirEndpoint.objects.for_organization(request.organization))


def endpoint_of(request: PortalRequest, endpoint_id: UUID) -> FhirEndpoint:
    """Return one of them and show its environment across the page; a foreign one is 404."""
    endpoint = get_object_or_404(FhirEndpoint.objects.for_organization(request.organization), pk=endpoint_id)
    show_environment(request, endpoint)
    return endpoint


def show_environment(request: PortalRequest, endpoint: FhirEndpoint) -> None:
    """Name the endpoint and its environment across the page."""
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
