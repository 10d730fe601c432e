"""Graph's way of refusing: an error envelope with a request id."""

from datetime import UTC, datetime

from django.http import JsonResponse


class GraphError(Exception):
    """A refusal as Graph words it.

    :param status: HTTP status.
    :param code: ``error.code``.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def bad_request(message: str) -> GraphError:
    """Return the refusal of a malformed request."""
    return GraphError(400, "BadRequest", message)


def not_found(what: str) -> GraphError:
    """Return the refusal for something that is not there."""
    return GraphError(404, "NotFound", f"{what} was not found.")


def envelope(error: GraphError, *, request_id: str, client_request_id: str) -> JsonResponse:
    """Return ``error`` in the documented envelope."""
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    return JsonResponse(body, status=error.status, headers=error.headers)
