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
from sms.services.suppliers import acs_resource


def supplier_of(supplier: str) -> NumberSupplier:
    """Return the adapter for ``supplier``, built from the operator's settings.

    :raises ConfigurationError: ``sms.supplier_not_configured``.
    """
    if supplier == Supplier.ACS and (resource := acs_resource()):
        return AcsNumbers(_session(), resource)
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
