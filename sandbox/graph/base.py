"""What every Graph endpoint does: a bearer token with the right role, request ids, faults, JSON in and out."""

import json
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import jwt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View

from sandbox import faults, keys
from sandbox.graph.errors import GraphError, bad_request, envelope

# The app id of Graph itself is as good an audience as its address.
AUDIENCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")


@dataclass(frozen=True)
class Caller:
    """The app behind an access token."""

    app_id: str
    tenant_id: str
    roles: frozenset[str]


class GraphView(View):
    """Base of the endpoints. ``permissions`` names, per method, the app roles of which one is needed."""

    permissions: ClassVar[dict[str, frozenset[str]]] = {}
    caller: Caller

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the caller, run the method, and translate a refusal into Graph's envelope."""
        request_id = str(uuid.uuid4())
        client_id = request.headers.get("client-request-id", request_id)
        try:
            self.caller = authenticate(request)
            self.require(self.permissions.get(request.method or "", frozenset()))
            _apply_faults(self.caller, kwargs)
            response = super().dispatch(request, *args, **kwargs)
        except GraphError as error:
            response = envelope(error, request_id=request_id, client_request_id=client_id)
        response.headers["request-id"] = request_id
        response.headers["client-request-id"] = client_id
        return response

    def require(self, needed: frozenset[str]) -> None:
        """Refuse a caller without any of these app roles.

        :raises GraphError: 403.
        """
        if needed and not needed & self.caller.roles:
            wanted, held = ", ".join(sorted(needed)), ", ".join(sorted(self.caller.roles))
            message = f"Missing role permissions on the request. API requires one of '{wanted}'. Roles: '{held}'."
            raise GraphError(403, "Forbidden", message)


def authenticate(request: HttpRequest) -> Caller:
    """Return the app whose access token the request carries.

    :raises GraphError: 401 without a token of our own Entra for Graph.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        claims = keys.verify(token.strip(), audience=[*AUDIENCES, f"{settings.SANDBOX_URL}/graph"])
    except jwt.PyJWTError as error:
        message = f"Access token validation failure. {error}"
        raise GraphError(401, "InvalidAuthenticationToken", message) from error
    app_id = str(claims.get("appid") or claims.get("azp") or "")
    # A delegated token carries scp and no roles: application permissions do not apply to it.
    return Caller(app_id, str(claims.get("tid", "")), frozenset(claims.get("roles", [])))


def _apply_faults(caller: Caller, path: dict[str, Any]) -> None:
    fault = faults.get("graph.http")
    if fault == "throttle":
        raise GraphError(429, "TooManyRequests", "Too many requests.", headers={"Retry-After": "5"})
    if fault == "error":
        raise GraphError(500, "InternalServerError", "An internal server error occurred.")
    if fault == "access_policy" and "oid" in path:
        user = path["oid"]
        message = f"App {caller.app_id} is not authorized to Create meeting on behalf of user {user}"
        raise GraphError(403, "Unauthorized", message)


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the request's JSON object.

    :raises GraphError: 400 for anything else.
    """
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set.") from error
    if not isinstance(body, dict):
        raise bad_request("The request body has to be a JSON object.")
    return body


def no_content() -> HttpResponse:
    """Return 204."""
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
