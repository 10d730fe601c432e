"""Numbers of Twilio: REST API 2010-04-01, and toll-free verification of the Messaging API v1.

Documentation: twilio.com/docs/phone-numbers/api and twilio.com/docs/messaging/api/tollfree-verification-resource
(checked 2026-11-24). Searching and buying are one call each and nothing is reserved in between, so a number may
be gone by the time it is bought: the search then begins again.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import requests

from core.errors import ConfigurationError, UpstreamRejected
from core.http import json_object, raise_for_status, send
from sms.providers.numbers import (
    CarrierRegister,
    NumberKind,
    Offer,
    OwnedNumber,
    Verification,
    VerificationReport,
    WantedNumber,
)
from sms.providers.twilio import SYSTEM

_KINDS = {NumberKind.TOLL_FREE: "TollFree", NumberKind.LOCAL: "Local", NumberKind.MOBILE: "Mobile"}

# Twilio's error number → our code; any other is sms.number_refused.
_CODES = {
    "21421": "sms.number_taken",
    "21422": "sms.number_taken",
    "21452": "sms.number_out_of_stock",
    "20404": "sms.number_out_of_stock",
}

_VERIFICATIONS = {
    "PENDING_REVIEW": Verification.PENDING,
    "IN_REVIEW": Verification.PENDING,
    "TWILIO_APPROVED": Verification.APPROVED,
    "TWILIO_REJECTED": Verification.REJECTED,
}


class TwilioNumbers:
    """Searches, buys and releases numbers of one Twilio account."""

    offers: ClassVar[Mapping[str, tuple[NumberKind, ...]]] = {
        "US": (NumberKind.TOLL_FREE, NumberKind.LOCAL),
        "CA": (NumberKind.TOLL_FREE, NumberKind.LOCAL),
        "PR": (NumberKind.LOCAL,),
        "GB": (NumberKind.MOBILE,),
        "AU": (NumberKind.MOBILE,),
    }

    def __init__(
        self, session: requests.Session, *, base_url: str, messaging_base_url: str, account_sid: str, auth_token: str
    ) -> None:
        self._session = session
        self._account = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}"
        self._auth = (account_sid, auth_token)
        toll_free = TollFreeVerifications(session, base_url=messaging_base_url, auth=self._auth)
        self.registers: Mapping[NumberKind, CarrierRegister] = {NumberKind.TOLL_FREE: toll_free}

    def start_search(self, wanted: WantedNumber) -> str:
        """Begin nothing: the search is one question; see :class:`sms.providers.numbers.NumberSupplier`."""
        return ""

    def search_result(self, wanted: WantedNumber, *, operation: str) -> Offer | None:
        """Return the first number for sale."""
        query = {"SmsEnabled": "true", "PageSize": "1"}
        if wanted.area_code:
            query["AreaCode"] = wanted.area_code
        url = f"{self._account}/AvailablePhoneNumbers/{wanted.country}/{_KINDS[wanted.kind]}.json"
        found = self._call("GET", url, params=query).get("available_phone_numbers") or []
        if not found:
            raise UpstreamRejected("sms.number_out_of_stock", detail=f"{wanted.country} {wanted.kind}")
        return Offer(number=str(found[0]["phone_number"]), reference="", expires_at=None, price="")

    def start_purchase(self, wanted: WantedNumber, offer: Offer) -> str:
        """Buy the number; Twilio answers when it is done."""
        form = {
            "PhoneNumber": offer.number,
            "SmsUrl": wanted.incoming_url,
            "SmsMethod": "POST",
            "FriendlyName": f"EHR connector {wanted.key}",
        }
        self._call("POST", f"{self._account}/IncomingPhoneNumbers.json", data=form)
        return ""

    def is_purchase_running(self, operation: str) -> bool:
        """Return False: buying is one call."""
        return False

    def find(self, number: str) -> OwnedNumber | None:
        """Return the number if the account holds it."""
        found = self._call("GET", f"{self._account}/IncomingPhoneNumbers.json", params={"PhoneNumber": number})
        numbers = found.get("incoming_phone_numbers") or []
        return OwnedNumber(number=number, supplier_id=str(numbers[0]["sid"])) if numbers else None

    def cancel(self, operation: str) -> None:
        """Do nothing: no operation of Twilio's runs on its own."""

    def release(self, owned: OwnedNumber) -> None:
        """Give the number back."""
        sid = owned.supplier_id or (found.supplier_id if (found := self.find(owned.number)) else "")
        if not sid:
            return
        url = f"{self._account}/IncomingPhoneNumbers/{sid}.json"
        response = send(self._session, "DELETE", url, system=SYSTEM, auth=self._auth)
        if response.status_code != HTTPStatus.NOT_FOUND:
            _raise(response)

    def _call(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        return _call(self._session, method, url, auth=self._auth, **request)


class TollFreeVerifications:
    """What Twilio knows of toll-free verification; see :class:`sms.providers.numbers.CarrierRegister`."""

    def __init__(self, session: requests.Session, *, base_url: str, auth: tuple[str, str]) -> None:
        self._session = session
        self._url = f"{base_url.rstrip('/')}/v1/Tollfree/Verifications"
        self._auth = auth

    def verification(self, owned: OwnedNumber) -> VerificationReport:
        """Return the newest verification of the number; an unknown status counts as pending."""
        query = {"TollfreePhoneNumberSid": owned.supplier_id, "PageSize": "1"}
        found = _call(self._session, "GET", self._url, auth=self._auth, params=query).get("verifications") or []
        if not found:
            return VerificationReport(state=Verification.NOT_SUBMITTED)
        state = _VERIFICATIONS.get(str(found[0].get("status")), Verification.PENDING)
        return VerificationReport(state=state, reason=str(found[0].get("rejection_reason") or "")[:200])


def _call(session: requests.Session, method: str, url: str, **request: Any) -> dict[str, Any]:
    response = send(session, method, url, system=SYSTEM, **request)
    _raise(response)
    return json_object(response, system=SYSTEM)


def _raise(response: requests.Response) -> None:
    """Turn a refusal into our error, with Twilio's own number."""
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise ConfigurationError("twilio.not_authorized", "Twilio refuses the account or its token.")
    is_refused = HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    if is_refused and response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        code = str(json_object(response, system=SYSTEM).get("code", ""))
        name = _CODES.get(code, "sms.number_refused")
        raise UpstreamRejected(name, detail=f"Twilio error {code}", status=response.status_code)
    raise_for_status(response, system=SYSTEM)
