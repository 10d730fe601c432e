"""SetExternalConnectionStatus: who is connected to a video visit.

Public sources show the path, the query parameters and Basic authentication; the backend OAuth token is the
other way that sites use. GET, PUT and POST are all taken, because sources disagree.
"""

from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from sandbox import faults, ledger
from sandbox.delays import LATE_SECONDS, hold
from sandbox.epic.backend import is_authorized
from sandbox.models import Appointment

_NEEDED = ("ConferenceID", "ExternalID", "ExternalIDType", "VendorName", "ConnectionStatus")
_STATUSES = {"1": "connected", "2": "disconnected"}
_DENIED = (HTTPStatus.UNAUTHORIZED, "Authorization has been denied for this request.")

Outcome = tuple[HTTPStatus, str]


@require_http_methods(["GET", "PUT", "POST"])
def set_external_connection_status(request: HttpRequest, environment: str) -> HttpResponse:
    """Take a status and show it in the schedule."""
    status, message = _outcome(request, environment=environment)
    given, kind = request.GET, "connection_status" if status == HTTPStatus.OK else "connection_status_refused"
    ledger.record(
        "epic", kind, key=given.get("ConferenceID", ""), external_id=given.get("ExternalID", ""),
        external_id_type=given.get("ExternalIDType", ""), vendor_name=given.get("VendorName", ""),
        status=given.get("ConnectionStatus", ""), http_status=int(status),
    )  # fmt: skip
    if faults.get("epic.connection_status") == "late":  # it is taken, and who asked may have given up
        hold(LATE_SECONDS)
    return JsonResponse({"Message": message}, status=status)


def _outcome(request: HttpRequest, *, environment: str) -> Outcome:
    fault = faults.get("epic.connection_status")
    if fault == "error":
        return HTTPStatus.INTERNAL_SERVER_ERROR, "An error has occurred."
    if fault == "busy":
        return HTTPStatus.SERVICE_UNAVAILABLE, "The service is busy."
    if not is_authorized(request, environment=environment):
        return _DENIED
    missing = [name for name in _NEEDED if not request.GET.get(name)]
    if missing:
        return HTTPStatus.BAD_REQUEST, f"Missing: {', '.join(missing)}"
    return _take(request, environment=environment)


@transaction.atomic
def _take(request: HttpRequest, *, environment: str) -> Outcome:
    given = request.GET
    same = Appointment.objects.filter(environment=environment, conference_id=given["ConferenceID"])
    appointments = list(same.select_for_update())  # of a group visit, several
    if not appointments:
        return HTTPStatus.NOT_FOUND, "NO-CONFERENCE-FOUND"
    who = f"{given['ExternalIDType']}:{given['ExternalID']}"
    for appointment in appointments:
        appointment.connections[who] = _STATUSES.get(given["ConnectionStatus"], given["ConnectionStatus"])
        appointment.save(update_fields=["connections"])
    return HTTPStatus.OK, "OK"
