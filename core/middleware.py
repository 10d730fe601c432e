"""One id per request, one log line per request, whose rows it may reach, and headers that every answer carries."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core import scope
from core.context import new_request_id, set_request_id
from core.context import request_id as current_request_id
from core.support_desk import is_operator, is_support

_FORBIDDEN = 403
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


class ScopeMiddleware:
    """Give each request the scope that the access rule of its view implies; without a rule it reaches nothing.

    Signed-in staff reach the organization they work in, which other middleware has found. Systems that call us,
    patients and launches are looked up among everybody's rows, by secrets that nobody can guess. A script's
    organization is known once its token was read (:mod:`config_portal.api.authentication`).
    """

    _FOR_ALL = frozenset({"public", "signed", "launch", "operator"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``; its scope ends with it."""
        with scope.within(scope.NOTHING):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: object, _named: object) -> None:
        """Enter the scope of the view that is about to run."""
        rule = str(getattr(view, "access", ""))
        is_desk = request.resolver_match is not None and "admin" in request.resolver_match.app_names
        if rule in self._FOR_ALL or (is_desk and is_operator(request)):
            scope.enter(scope.of_platform(rule or "support desk"))
        elif rule == "staff" or rule.startswith("portal: ") or (is_desk and is_support(request)):
            organization = getattr(request, "organization", None)
            scope.enter(scope.of_organization(organization.pk) if organization else scope.NOTHING)


class PlainHttpMiddleware:
    """Refuse what other systems send without TLS. A redirect would teach them to send the secret in clear again.

    Source: OWASP ASVS 5.0, 4.1.2. Browsers are redirected instead, by Django.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``; one that came in clear is not read."""
        is_theirs = request.path.startswith(tuple(settings.REFUSED_WITHOUT_TLS))
        if settings.SECURE_SSL_REDIRECT and is_theirs and not request.is_secure():
            return HttpResponse("Use https.", status=_FORBIDDEN, content_type="text/plain; charset=utf-8")
        return self.get_response(request)
