"""Endpoints of ACS below ``/acs/``: SMS api-version 2026-01-23, phone numbers 2025-06-01."""

from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from sandbox import faults
from sandbox.delays import HANG_SECONDS, LATE_SECONDS, hold
from sandbox.models import NumberOperation
from sandbox.sms import acs, acs_numbers
from sandbox.sms.acs_base import AcsError, AcsView, json_body, problem

_SMS_VERSIONS = frozenset({"2021-03-07", "2025-09-17", "2026-01-23"})
_NUMBER_VERSIONS = frozenset({"2022-12-01", "2025-04-01", "2025-06-01"})


class Send(AcsView):
    """``POST /sms``."""

    versions: ClassVar = _SMS_VERSIONS

    def post(self, request: HttpRequest) -> JsonResponse:
        """Send a text to up to a hundred recipients."""
        fault = faults.get("acs.send")
        if fault == "late":
            hold(LATE_SECONDS)
        results = acs.send(json_body(request))
        if fault == "hang":
            hold(HANG_SECONDS)
        return JsonResponse({"value": results}, status=202)


class OptOuts(AcsView):
    """``POST /sms/optouts:add|remove|check``."""

    versions: ClassVar = _SMS_VERSIONS - {"2021-03-07"}

    def post(self, request: HttpRequest, action: str) -> JsonResponse:
        """Change or read opt-outs."""
        return JsonResponse({"value": acs.opt_outs(json_body(request), action=action)})


class DeliveryReport(AcsView):
    """``GET /deliveryReports/{id}``: a report by polling; 404 while there is none."""

    versions: ClassVar = frozenset({"2026-01-23"})

    def get(self, request: HttpRequest, message_id: str) -> JsonResponse:
        """Return a delivery report."""
        found = acs.report(message_id)
        return problem(404, "Not Found") if found is None else JsonResponse(found)


class Search(AcsView):
    """``POST /availablePhoneNumbers/countries/{cc}/:search``."""

    versions: ClassVar = _NUMBER_VERSIONS

    def post(self, request: HttpRequest, country: str) -> HttpResponse:
        """Start a search."""
        operation = acs_numbers.search(json_body(request), country=country)
        return _started(operation, headers={"search-id": str(operation.resource_id)})


class SearchResult(AcsView):
    """``GET /availablePhoneNumbers/searchResults/{id}``."""

    versions: ClassVar = _NUMBER_VERSIONS

    def get(self, request: HttpRequest, search: str) -> JsonResponse:
        """Return what a search found."""
        found = acs_numbers.find_search(search, now=timezone.now())
        if found is None:
            raise AcsError(404, "SearchNotFound", "The search is unknown or has expired.")
        return JsonResponse(acs_numbers.search_json(found))


class Purchase(AcsView):
    """``POST /availablePhoneNumbers/:purchase``."""

    versions: ClassVar = _NUMBER_VERSIONS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Start a purchase."""
        operation = acs_numbers.purchase(json_body(request), now=timezone.now())
        return _started(operation, headers={"purchase-id": str(operation.resource_id)})


class Operation(AcsView):
    """``GET /phoneNumbers/operations/{id}``."""

    versions: ClassVar = _NUMBER_VERSIONS

    def get(self, request: HttpRequest, operation: str) -> JsonResponse:
        """Return the state of an operation."""
        return JsonResponse(acs_numbers.advance(operation, now=timezone.now()))

    def delete(self, request: HttpRequest, operation: str) -> HttpResponse:
        """Stop an operation that still runs."""
        acs_numbers.cancel(operation, now=timezone.now())
        return HttpResponse(status=204)


class Numbers(AcsView):
    """``GET /phoneNumbers``."""

    versions: ClassVar = _NUMBER_VERSIONS

    def get(self, request: HttpRequest) -> JsonResponse:
        """List the customer's numbers."""
        return JsonResponse({"phoneNumbers": [acs_numbers.number_json(number) for number in acs_numbers.held()]})


class Number(AcsView):
    """``/phoneNumbers/{number}``."""

    versions: ClassVar = _NUMBER_VERSIONS

    def get(self, request: HttpRequest, number: str) -> JsonResponse:
        """Return one of the customer's numbers."""
        return JsonResponse(acs_numbers.number_json(acs_numbers.get(number)))

    def delete(self, request: HttpRequest, number: str) -> HttpResponse:
        """Start to release a number."""
        operation = acs_numbers.release(number)
        return _started(operation, headers={"release-id": str(operation.resource_id)})


def _started(operation: NumberOperation, *, headers: dict[str, str]) -> HttpResponse:
    location = f"{settings.SANDBOX_URL}/acs/phoneNumbers/operations/{operation}?api-version=2025-06-01"
    return HttpResponse(status=202, headers={"Operation-Location": location, "operation-id": str(operation), **headers})
