"""What every ACS endpoint does: a known api-version, a proven caller, faults, problem details."""

import json
import secrets
from typing import Any, ClassVar

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views import View

from sandbox import faults
from sandbox.sms import acs_auth


class AcsError(Exception):
    """A refusal of the whole request, by HTTP status."""

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


class AcsView(View):
    """Base of the endpoints. ``versions`` are the api-versions the twin knows."""

    versions: ClassVar[frozenset[str]]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check version and caller, run the method, and word a refusal."""
        try:
            self._check(request)
            return super().dispatch(request, *args, **kwargs)
        except AcsError as error:
            body = {"error": {"code": error.code, "message": error.message}}
            response = JsonResponse(body, status=error.status, headers=error.headers)
            response["x-ms-error-code"] = error.code
            return response

    def _check(self, request: HttpRequest) -> None:
        reason = acs_auth.refusal(request, now=timezone.now())
        if reason:
            raise AcsError(401, "Denied", f"Denied by the resource provider. {reason}")
        if request.GET.get("api-version", "") not in self.versions:
            known = ", ".join(sorted(self.versions))
            raise AcsError(400, "UnsupportedApiVersion", f"The api-version is missing or unknown. Known: {known}.")
        fault = faults.get("acs.http")
        if fault == "throttle":
            raise AcsError(429, "TooManyRequests", "Too many requests.", headers={"Retry-After": "5"})
        if fault == "error":
            raise AcsError(500, "InternalServerError", "Something went wrong on our side.")


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the request's JSON object.

    :raises AcsError: 400 for anything else.
    """
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise AcsError(400, "BadRequest", "The request body is not JSON.") from error
    if not isinstance(body, dict):
        raise AcsError(400, "BadRequest", "The request body has to be a JSON object.")
    return body


def problem(status: int, title: str) -> JsonResponse:
    """Return problem details (RFC 9110 style), as the SMS service answers unknown ids."""
    trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    kind = "https://tools.ietf.org/html/rfc9110#section-15.5.5"
    return JsonResponse({"type": kind, "title": title, "status": status, "traceId": trace}, status=status)
