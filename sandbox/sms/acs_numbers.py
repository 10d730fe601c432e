"""The ACS numbers API: search, purchase and release are long-running operations that a client polls.

``azure-communication-phonenumbers`` 1.4.0 and its swagger were read for the shapes (checked November 2026).
An operation runs for a moment and is carried out when it is first seen as finished.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from sandbox import faults
from sandbox.graph.times import graph_time
from sandbox.models import NumberOperation, SenderNumber, Supplier
from sandbox.sms import numbers
from sandbox.sms.acs_base import AcsError

_RUNS_FOR = timedelta(seconds=1)
_OFFER_LASTS = timedelta(minutes=15)
_MOST = 5
_COST = {"amount": 2.0, "currencyCode": "USD", "billingFrequency": "monthly"}
_CAPABILITIES = {"calling": "none", "sms": "inbound+outbound"}


def search(body: dict[str, Any], *, country: str) -> NumberOperation:
    """Start a search; the offer is reserved for 15 minutes.

    :raises AcsError: 400.
    """
    kind, quantity = body.get("phoneNumberType"), body.get("quantity", 1)
    if kind not in ("tollFree", "geographic", "mobile") or body.get("assignmentType") not in ("application", "person"):
        raise AcsError(400, "BadRequest", "phoneNumberType and assignmentType are required.")
    if not isinstance(quantity, int) or not 1 <= quantity <= _MOST:
        raise AcsError(400, "BadRequest", "The quantity is 1 to 5 for this resource.")
    found: list[str] = []
    if country == "US" and kind != "mobile" and faults.get("acs.numbers") != "out_of_stock":
        found = numbers.for_sale(kind=kind, area_code=str(body.get("areaCode") or ""), quantity=quantity)
    details = {"kind": kind, "country": country, "assignment": body["assignmentType"], "numbers": found}
    return NumberOperation.objects.create(kind="search", details=details)


def purchase(body: dict[str, Any], *, now: datetime) -> NumberOperation:
    """Start to buy what a search reserved.

    :raises AcsError: 400 for an unknown or expired search.
    """
    offer = find_search(str(body.get("searchId") or ""), now=now)
    if offer is None:
        raise AcsError(400, "ReservationExpired", "The reservation is unknown or has expired.")
    return NumberOperation.objects.create(kind="purchase", details=offer.details)


def release(e164: str) -> NumberOperation:
    """Start to give a number back.

    :raises AcsError: 404 when the customer does not hold it.
    """
    _held(e164)
    return NumberOperation.objects.create(kind="releasePhoneNumber", details={"numbers": [e164]})


def find_search(search_id: str, *, now: datetime) -> NumberOperation | None:
    """Return a finished search whose offer still stands."""
    try:
        UUID(search_id)
    except ValueError:
        return None
    return NumberOperation.objects.filter(
        kind="search", resource_id=search_id, created_at__gt=now - _OFFER_LASTS
    ).first()


def advance(operation_id: str, *, now: datetime) -> dict[str, Any]:
    """Return the operation's state, carrying it out once its time has come.

    :raises AcsError: 404.
    """
    name, _, key = operation_id.rpartition("_")
    with transaction.atomic():
        operation = _locked(name, key)
        state, code = _state(operation, now=now)
        if state == "succeeded" and not operation.is_applied:
            _apply(operation, now=now)
    return _operation_json(operation, state=state, code=code, now=now)


def cancel(operation_id: str, *, now: datetime) -> None:
    """Stop an operation that still runs; it then counts as failed.

    :raises AcsError: 404, or 400 when it is over.
    """
    name, _, key = operation_id.rpartition("_")
    with transaction.atomic():
        operation = _locked(name, key)
        if _state(operation, now=now)[0] != "running":
            raise AcsError(400, "OperationNotCancelable", "The operation is over.")
        operation.details = {**operation.details, "is_cancelled": True}
        operation.save()


def search_json(operation: NumberOperation) -> dict[str, Any]:
    """Return the result of a search."""
    details = operation.details
    return {
        "searchId": str(operation.resource_id),
        "phoneNumbers": details["numbers"],
        "phoneNumberType": details["kind"],
        "assignmentType": details["assignment"],
        "capabilities": _CAPABILITIES,
        "cost": _COST,
        "searchExpiresBy": graph_time(operation.created_at + _OFFER_LASTS),
    }


def number_json(number: SenderNumber) -> dict[str, Any]:
    """Return a number the customer holds."""
    return {
        "id": number.e164.removeprefix("+"),
        "phoneNumber": number.e164,
        "countryCode": "US",
        "phoneNumberType": number.kind,
        "assignmentType": "application",
        "capabilities": _CAPABILITIES,
        "purchaseDate": graph_time(number.purchased_at),
        "cost": _COST,
    }


def held() -> list[SenderNumber]:
    """Return the customer's numbers."""
    _finish_releases()
    return list(numbers.held_by_customer(Supplier.ACS))


def _held(e164: str) -> SenderNumber:
    number = numbers.find(e164, supplier=Supplier.ACS)
    if number is None:
        raise AcsError(404, "PhoneNumberNotFound", "The phone number does not belong to this resource.")
    return number


def get(e164: str) -> SenderNumber:
    """Return one of the customer's numbers.

    :raises AcsError: 404.
    """
    _finish_releases()
    return _held(e164)


def _finish_releases() -> None:
    """Carry releases out that nobody polls: a number is gone in the end whether or not somebody looks."""
    now = timezone.now()
    for operation in NumberOperation.objects.filter(kind="releasePhoneNumber", is_applied=False):
        if _state(operation, now=now)[0] == "succeeded":
            _apply(operation, now=now)


def _locked(name: str, key: str) -> NumberOperation:
    try:
        found = NumberOperation.objects.select_for_update().filter(pk=UUID(key), kind=name).first()
    except ValueError:
        found = None
    if found is None:
        raise AcsError(404, "OperationNotFound", "The operation is unknown.")
    return found


def _state(operation: NumberOperation, *, now: datetime) -> tuple[str, str]:
    fault = faults.get("acs.numbers")
    if operation.is_applied:
        return "succeeded", ""
    if operation.details.get("is_cancelled"):
        return "failed", "OperationCanceled"
    if fault == "slow" or now - operation.created_at < _RUNS_FOR:
        return "running", ""
    if operation.kind != "releasePhoneNumber" and not operation.details["numbers"]:
        return "failed", "OutOfStock"
    if operation.kind == "purchase" and fault == "provisioning_failed":
        return "failed", "ProvisioningFailed"
    return "succeeded", ""


def _apply(operation: NumberOperation, *, now: datetime) -> None:
    for e164 in operation.details["numbers"]:
        if operation.kind == "purchase":
            _buy(e164, kind=operation.details["kind"])
        elif operation.kind == "releasePhoneNumber":
            held_number = SenderNumber.objects.filter(supplier=Supplier.ACS, e164=e164, released_at__isnull=True)
            held_number.update(released_at=now)
    operation.is_applied = True
    operation.save()


def _buy(e164: str, *, kind: str) -> None:
    try:
        with transaction.atomic():
            numbers.buy(e164, supplier=Supplier.ACS, kind=kind)
    except IntegrityError as error:
        raise AcsError(409, "PhoneNumberNotAvailable", "The number was bought by somebody else.") from error


def _operation_json(operation: NumberOperation, *, state: str, code: str, now: datetime) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": str(operation),
        "status": state,
        "operationType": operation.kind,
        "createdDateTime": graph_time(operation.created_at),
        "lastActionDateTime": graph_time(now),
    }
    if operation.kind == "search":
        body["resourceLocation"] = (
            f"/availablePhoneNumbers/searchResults/{operation.resource_id}?api-version=2025-06-01"
        )
    if code:
        body["error"] = {"code": code, "message": f"The operation failed: {code}."}
    return body
