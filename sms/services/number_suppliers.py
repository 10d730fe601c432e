"""Which adapter searches, buys and releases numbers."""

from functools import lru_cache

import requests
from django.conf import settings

from core.errors import ConfigurationError
from core.http import build_session
from sms.models import Supplier
from sms.providers.acs_numbers import AcsNumbers
from sms.providers.numbers import NumberSupplier
from sms.providers.twilio_numbers import TwilioNumbers
from sms.services.suppliers import acs_token


def supplier_of(supplier: str) -> NumberSupplier:
    """Return the adapter for ``supplier``, built from the operator's settings.

    :raises ConfigurationError: ``sms.supplier_not_configured``.
    """
    if supplier == Supplier.ACS and settings.ACS_ENDPOINT:
        if settings.ACS_ACCESS_KEY:
            return AcsNumbers(_session(), endpoint=settings.ACS_ENDPOINT, access_key=settings.ACS_ACCESS_KEY)
        if settings.ENTRA_CLIENT_ID and settings.ENTRA_CLIENT_SECRET:
            return AcsNumbers(_session(), endpoint=settings.ACS_ENDPOINT, token=acs_token)
    if supplier == Supplier.TWILIO and settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN:
        return TwilioNumbers(
            _session(),
            base_url=settings.TWILIO_API_BASE_URL,
            messaging_base_url=settings.TWILIO_MESSAGING_BASE_URL,
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
        )
    raise ConfigurationError("sms.supplier_not_configured", f"The operator has not set up {supplier}.")


@lru_cache(maxsize=1)
def _session() -> requests.Session:
    return build_session()
