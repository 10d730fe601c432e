"""Numbers of Azure Communication Services, REST API 2025-06-01.

Documentation: learn.microsoft.com/rest/api/communication/phonenumbers (checked 2026-11-24). Search, purchase
and release are long-running operations: the answer names one in ``operation-id`` and it is polled. A search
reserves what it found for 15 minutes. The interface says nothing about toll-free verification: that is a form
in the Azure portal.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

import requests

from core.errors import ConfigurationError, UpstreamRejected
from core.http import call, json_object, raise_for_status
from sms.providers.acs import SYSTEM, AcsResource
from sms.providers.numbers import CarrierRegister, NumberKind, Offer, OwnedNumber, WantedNumber

API_VERSION = "2025-06-01"
_RUNNING = ("notStarted", "running")
_KINDS = {NumberKind.TOLL_FREE: "tollFree", NumberKind.LOCAL: "geographic", NumberKind.MOBILE: "mobile"}

# error.code of an operation or a refusal → our code; any other is sms.number_refused.
_CODES = {
    "OutOfStock": "sms.number_out_of_stock",
    "PhoneNumberNotAvailable": "sms.number_taken",
    "ReservationExpired": "sms.number_reservation_expired",
    "SearchExpired": "sms.number_reservation_expired",
    "SearchNotFound": "sms.number_reservation_expired",
    "NotEnoughCredit": "sms.number_no_credit",
    "ProvisioningFailed": "sms.number_not_provisioned",
}


class AcsNumbers:
    """Searches, buys and releases numbers of one ACS resource."""

    offers: ClassVar[Mapping[str, tuple[NumberKind, ...]]] = {
        "US": (NumberKind.TOLL_FREE, NumberKind.LOCAL),
        "CA": (NumberKind.TOLL_FREE, NumberKind.LOCAL),
        "PR": (NumberKind.TOLL_FREE,),
    }
    registers: ClassVar[Mapping[NumberKind, CarrierRegister]] = {}  # a form in the Azure portal; no interface tells

    def __init__(self, session: requests.Session, resource: AcsResource) -> None:
        self._session = session
        self._resource = resource

    def start_search(self, wanted: WantedNumber) -> str:
        """Begin to search and return ``<operation>|<search>``; see :class:`sms.providers.numbers.NumberSupplier`."""
        body = {
            "phoneNumberType": _KINDS[wanted.kind],
            "assignmentType": "application",
            "capabilities": {"calling": "none", "sms": "inbound+outbound"},
            "quantity": 1,
        }
        if wanted.area_code:
            body["areaCode"] = wanted.area_code
        response = self._call("POST", f"/availablePhoneNumbers/countries/{wanted.country}/:search", body)
        return f"{response.headers.get('operation-id', '')}|{response.headers.get('search-id', '')}"

    def search_result(self, wanted: WantedNumber, *, operation: str) -> Offer | None:
        """Return the reserved number, or None while the search runs."""
        operation_id, _, search_id = operation.partition("|")
        if self._is_running(operation_id):
            return None
        found = self._get(f"/availablePhoneNumbers/searchResults/{search_id}")
        if not found.get("phoneNumbers"):
            raise UpstreamRejected("sms.number_out_of_stock", detail=f"{wanted.country} {wanted.kind}")
        return Offer(
            number=str(found["phoneNumbers"][0]),
            reference=search_id,
            expires_at=datetime.fromisoformat(str(found["searchExpiresBy"])),
            price=_price(found.get("cost") or {}),
        )

    def start_purchase(self, wanted: WantedNumber, offer: Offer) -> str:
        """Begin to buy what the search reserved. A search can be bought once, so a repetition buys nothing more."""
        response = self._call("POST", "/availablePhoneNumbers/:purchase", {"searchId": offer.reference})
        return str(response.headers.get("operation-id", ""))

    def is_purchase_running(self, operation: str) -> bool:
        """Return whether the purchase still runs."""
        return self._is_running(operation)

    def find(self, number: str) -> OwnedNumber | None:
        """Return the number if the resource holds it."""
        response = self._request("GET", f"/phoneNumbers/{quote(number)}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        _raise(response)
        return OwnedNumber(number=number, supplier_id=str(json_object(response, system=SYSTEM).get("id", "")))

    def cancel(self, operation: str) -> None:
        """Ask Azure to stop an operation; one that is over or gone stays as it is."""
        response = self._request("DELETE", f"/phoneNumbers/operations/{operation.partition('|')[0]}")
        if response.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT):
            _raise(response)

    def release(self, owned: OwnedNumber) -> None:
        """Give the number back; Azure finishes it in the background."""
        response = self._request("DELETE", f"/phoneNumbers/{quote(owned.number)}")
        if response.status_code != HTTPStatus.NOT_FOUND:
            _raise(response)

    def _is_running(self, operation_id: str) -> bool:
        state = self._get(f"/phoneNumbers/operations/{operation_id}")
        if state.get("status") in _RUNNING:
            return True
        if state.get("status") != "succeeded":
            raise _rejection(state.get("error") or {}, status=HTTPStatus.OK)
        return False

    def _get(self, path: str) -> dict[str, Any]:
        return json_object(self._call("GET", path), system=SYSTEM)

    def _call(self, method: str, path: str, body: object = None) -> requests.Response:
        response = self._request(method, path, body)
        _raise(response)
        return response

    def _request(self, method: str, path: str, body: object = None) -> requests.Response:
        wanted = self._resource.request(method, path, body, version=API_VERSION)
        return call(self._session, wanted, system=SYSTEM)


def _raise(response: requests.Response) -> None:
    """Turn a refusal into our error, with Azure's own code where it gave one."""
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise ConfigurationError("acs.not_authorized", "Azure refuses the access key or the sender's number.")
    is_refused = HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    if is_refused and response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        error = json_object(response, system=SYSTEM).get("error")
        raise _rejection(error if isinstance(error, dict) else {}, status=response.status_code)
    raise_for_status(response, system=SYSTEM)


def _rejection(error: Mapping[str, Any], *, status: int) -> UpstreamRejected:
    code = str(error.get("code", ""))
    return UpstreamRejected(_CODES.get(code, "sms.number_refused"), detail=f"ACS error {code}", status=status)


def _price(cost: Mapping[str, Any]) -> str:
    if "amount" not in cost:
        return ""
    return f"{float(cost['amount']):.2f} {cost.get('currencyCode', 'USD')} a month"
