"""``Communication.create`` and ``Observation.create``: an entry in a patient's chart.

Sources: HL7 FHIR R4, "create"; Epic on FHIR, error codes of ``OperationOutcome``. Like the real one, it answers 201
with the place of the entry and no body, and makes a second entry when it is asked a second time.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from sandbox import faults, ledger, people
from sandbox.delays import LATE_SECONDS, hold
from sandbox.epic import addresses
from sandbox.epic.backend import is_authorized
from sandbox.http import BadRequest, json_body

_ERROR_CODES = "urn:oid:1.2.840.113619.21.1"
_NEEDED = {
    "Communication": ("status", "category", "sent", "payload"),
    "Observation": ("status", "category", "code", "effectiveDateTime", "valueString"),
}
# What Epic answers while a fault is switched on: status, its own code.
_FAULTS = {
    "error": (HTTPStatus.INTERNAL_SERVER_ERROR, ""),
    "busy": (HTTPStatus.SERVICE_UNAVAILABLE, ""),
    "break_the_glass": (HTTPStatus.FORBIDDEN, "4130"),
    "not_mapped": (HTTPStatus.BAD_REQUEST, "59187"),
}


class _Refused(Exception):
    """The entry is not made."""

    def __init__(self, status: HTTPStatus, code: str = "", text: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@require_POST
def create(request: HttpRequest, environment: str, resource_type: str) -> HttpResponse:
    """Make the entry, unless it is incomplete, about nobody we know, or a fault is switched on."""
    fault = faults.get("epic.chart")
    try:
        resource = _checked(request, environment=environment, resource_type=resource_type, fault=fault)
    except _Refused as refusal:
        ledger.record("epic", "chart_refused", key=resource_type, http_status=int(refusal.status), code=refusal.code)
        return _outcome(refusal)
    entry = ledger.record("epic", "chart_entry", key=_identifier(resource), resource=resource)
    if fault == "late":  # it is made, and who asked may have given up
        hold(LATE_SECONDS)
    place = f"{addresses.fhir(environment)}/{resource_type}/e{entry.pk}"
    return HttpResponse(status=HTTPStatus.CREATED, headers={"Location": place})


def _checked(request: HttpRequest, *, environment: str, resource_type: str, fault: str | None) -> dict[str, Any]:
    if fault in _FAULTS:
        raise _Refused(*_FAULTS[fault])
    if not is_authorized(request, environment=environment):
        raise _Refused(HTTPStatus.UNAUTHORIZED)
    if not request.headers.get("Content-Type", "").startswith("application/fhir+json"):
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text="The body is not application/fhir+json.")
    try:
        resource = json_body(request)
    except BadRequest as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, text=str(error)) from error
    _check_content(resource, resource_type)
    return resource


def _check_content(resource: dict[str, Any], resource_type: str) -> None:
    missing = [name for name in (*_NEEDED[resource_type], "subject") if not resource.get(name)]
    if resource.get("resourceType") != resource_type or missing:
        raise _Refused(HTTPStatus.BAD_REQUEST, text=f"Not a whole {resource_type}; missing: {', '.join(missing)}")
    known = {f"Patient/{patient.fhir_id}" for patient in people.PATIENTS.values()}
    if resource["subject"].get("reference") not in known:
        raise _Refused(HTTPStatus.NOT_FOUND, "4101", "The patient is unknown.")


def _identifier(resource: dict[str, Any]) -> str:
    identifiers = resource.get("identifier") or [{}]
    return str(identifiers[0].get("value", ""))


def _outcome(refusal: _Refused) -> JsonResponse:
    coding = [{"system": _ERROR_CODES, "code": refusal.code}] if refusal.code else []
    issue = {"severity": "error", "code": "processing", "details": {"coding": coding, "text": refusal.text}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return JsonResponse(outcome, status=refusal.status, content_type="application/fhir+json")
