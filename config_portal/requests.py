"""The request as staff pages see it."""

from collections.abc import Sequence

from django.http import HttpRequest

from accounts.models import User
from config_portal.models import FhirEndpoint, Organization
from core.page import EnvironmentBand


class PortalRequest(HttpRequest):
    """A request of signed-in staff, with what :mod:`config_portal.middleware` adds.

    Views that :func:`config_portal.access.portal_page` guards may rely on ``user`` and ``organization``.
    """

    user: User
    organization: Organization
    organizations: Sequence[Organization]
    roles: frozenset[str]
    environment_band: EnvironmentBand


def show_band(request: PortalRequest, endpoint: FhirEndpoint) -> None:
    """Write the environment of ``endpoint`` across the page."""
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
