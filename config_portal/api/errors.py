"""How the API says what went wrong: a stable code, words, and the request's id."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.context import request_id
from core.errors import ConnectorError, UpstreamUnavailable

_CONFLICT, _UNAVAILABLE = 409, 503
_CONFLICTS = frozenset(
    {
        "endpoint.name_taken",
        "endpoint.base_url_listed",
        "approval.nothing_to_approve",
        "approval.changed_meanwhile",
        "keys.too_early",
    }
)


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer ``{"code", "message", "fields"?, "request_id"}`` for every error (``EXCEPTION_HANDLER``)."""
    if isinstance(error, ConnectorError):
        return Response(_body(error.code, error.user_message or str(error)), status=_status_of(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(response.data, dict) and "detail" not in response.data:
        response.data = {**_body("api.fields", "Some fields cannot be taken as they are."), "fields": response.data}
        return response
    code = "api.not_found" if isinstance(error, Http404) else f"api.{getattr(error, 'default_code', 'refused')}"
    detail = error.detail if isinstance(error, APIException) else "Not found."
    response.data = _body(code, str(detail))
    return response


def _status_of(error: ConnectorError) -> int:
    if error.code in _CONFLICTS:
        return _CONFLICT
    return _UNAVAILABLE if isinstance(error, UpstreamUnavailable) else 422


def _body(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "request_id": request_id()}
