"""Which adapter carries the texts of which number."""

from functools import lru_cache

import requests
from django.conf import settings

from core.errors import ConfigurationError
from core.http import build_session
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.token import access_token
from sms.models import Supplier
from sms.providers.acs import TOKEN_SCOPE, AcsProvider, AcsResource
from sms.providers.base import SmsProvider
from sms.providers.twilio import TwilioProvider


def provider(supplier: str) -> SmsProvider:
    """Return the adapter for ``supplier``, built from the operator's settings.

    :raises ConfigurationError: ``sms.supplier_not_configured``.
    """
    if supplier == Supplier.ACS and (resource := acs_resource()):
        return AcsProvider(_session(), resource)
    if supplier == Supplier.TWILIO and settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN:
        return TwilioProvider(
            _session(),
            base_url=settings.TWILIO_API_BASE_URL,
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
        )
    raise ConfigurationError("sms.supplier_not_configured", f"The operator has not set up {supplier}.")


def acs_resource() -> AcsResource | None:
    """Return the operator's resource at Azure, by its key or else by the operator's application; None without one."""
    if not settings.ACS_ENDPOINT:
        return None
    if settings.ACS_ACCESS_KEY:
        return AcsResource(endpoint=settings.ACS_ENDPOINT, access_key=settings.ACS_ACCESS_KEY)
    if settings.ENTRA_CLIENT_ID and settings.ENTRA_CLIENT_SECRET:
        return AcsResource(endpoint=settings.ACS_ENDPOINT, token=acs_token)
    return None


def acs_token() -> str:
    """Return an Entra token of the operator's own application for Azure Communication Services.

    :raises ConfigurationError: ``entra.credentials_refused``.
    :raises UpstreamUnavailable: Entra cannot be reached or is overloaded.
    """
    operator = TeamsConnection(
        entra_base_url=settings.ENTRA_BASE_URL,
        graph_base_url=settings.GRAPH_BASE_URL,
        tenant_id=settings.ENTRA_TENANT_ID,
        client_id=settings.ENTRA_CLIENT_ID,
        client_secret=settings.ENTRA_CLIENT_SECRET,
    )
    return access_token(operator, _session(), scope=TOKEN_SCOPE)


@lru_cache(maxsize=1)
def _session() -> requests.Session:
    return build_session()
