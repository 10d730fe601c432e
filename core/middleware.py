"""One id per request, one log line per request, and the headers that every answer carries."""

import logging
import re
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.context import new_request_id, set_request_id
from core.context import request_id as current_request_id

_ACCEPTED_ID = re.compile(r"[\w-]{8,64}")

logger = logging.getLogger("core.request")


class RequestContextMiddleware:
    """Follow one request: its id in logs and in the answer, its route (never its path) in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request`` with its id in ``X-Request-ID``."""
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else new_request_id()
        set_request_id(request_id)
        started = time.monotonic()
        response = self.get_response(request)
        response.headers["X-Request-ID"] = current_request_id()  # of a launch's later pages it is the launch's
        response.headers.setdefault("Cache-Control", "no-store")
        route = request.resolver_match.view_name if request.resolver_match else "unknown"
        milliseconds = round((time.monotonic() - started) * 1000)
        logger.info(
            "request",
            extra={"method": request.method, "route": route, "status": response.status_code, "ms": milliseconds},
        )
        return response
