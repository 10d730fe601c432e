"""The first half of a launch from Epic: check where it comes from, remember it, send the browser to sign in."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config_portal.models import FhirEndpoint
from config_portal.services.connections import approved_configuration, epic_app
from core.context import request_id
from core.errors import LaunchRefused
from epic.base_url import is_same_base_url
from epic.connection import Audience
from epic.oauth import AuthorizationRequest, ehr_launch_request
from launch.cookies import digest
from launch.models import LaunchAttempt, OAuthState

STATE_LASTS = timedelta(minutes=10)
LONGEST_LAUNCH = 65_536


@transaction.atomic
def begin(
    endpoint: FhirEndpoint, audience: Audience, *, issuer: str, launch: str, cookie: str, now: datetime
) -> AuthorizationRequest:
    """Store the launch and return what the browser must post to Epic; nothing is called.

    :param issuer: ``iss`` as Epic sent it; must be the approved base URL.
    :param cookie: the browser's launch cookie, to which the state is bound.
    :raises LaunchRefused: ``launch.wrong_issuer``, ``launch.wrong_environment`` or ``launch.incomplete``.
    :raises ConfigurationError: when nothing is approved, or the client id is missing.
    """
    app = epic_app(endpoint, audience)
    if not _means(issuer, app.fhir_base_url):
        raise _wrong_issuer(endpoint, issuer)
    if not launch or len(launch) > LONGEST_LAUNCH:
        raise LaunchRefused("launch.incomplete", "Epic did not send a launch token.")
    request = ehr_launch_request(
        app,
        launch=launch,
        redirect_uri=redirect_uri(endpoint, audience),
        method=approved_configuration(endpoint).authorize_method,
    )
    attempt = LaunchAttempt.objects.create(
        organization=endpoint.organization, endpoint=endpoint, audience=audience, request_id=request_id()
    )
    OAuthState.objects.create(
        attempt=attempt,
        state_digest=digest(request.state),
        cookie_digest=digest(cookie),
        code_verifier=request.code_verifier,
        nonce=request.nonce,
        expires_at=now + STATE_LASTS,
    )
    return request


def redirect_uri(endpoint: FhirEndpoint, audience: Audience) -> str:
    """Return the address that is registered at Epic for one app of one endpoint."""
    return str(settings.PUBLIC_URL) + reverse(f"launch:{audience}_callback", args=[endpoint.launch_id])


def _wrong_issuer(endpoint: FhirEndpoint, issuer: str) -> LaunchRefused:
    """Tell a record in the wrong environment, the commonest mistake, from a foreign address."""
    others = endpoint.organization.endpoints.exclude(environment=endpoint.environment)
    if any(_means(issuer, other.base_url) for other in others):
        here, there = endpoint.get_environment_display().lower(), "production" if not endpoint.is_production else "test"
        return LaunchRefused(
            "launch.wrong_environment",
            f"This is the {here} record of the connector, and it was opened from {there} Epic."
            " Your Epic analyst has to put the record of the right environment there.",
        )
    return LaunchRefused("launch.wrong_issuer", "This record belongs to another Epic than the one it was opened from.")


def _means(issuer: str, base_url: str) -> bool:
    try:
        return is_same_base_url(issuer, base_url)
    except ValueError:  # no web address at all, such as "https://["
        return False
