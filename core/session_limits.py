"""When a staff session ends: after some idle minutes, and after eight hours whatever happens.

Source: HIPAA 45 CFR 164.312(a)(2)(iii), automatic logoff; OWASP ASVS 5.0, 7.3.1 and 7.3.2. Pages that refresh
themselves are not a sign of life: only what a person does counts.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

BEGAN, SEEN = "_began_at", "_seen_at"
# How exactly the last sign of life is stored; less would write the session at every request.
RESOLUTION_SECONDS = 20
_STOP_POLLING = 286  # htmx: take the answer and do not ask again


class SessionLimitsMiddleware:
    """Sign people out whose session has ended, before any view runs; note when they were last active."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``; of a session that has ended nothing is left."""
        if not request.user.is_authenticated:
            if SESSION_KEY in request.session:  # of somebody who was switched off meanwhile
                request.session.flush()
            return self.get_response(request)
        now = timezone.now()
        if seconds_left(request.session, now=now) <= 0:
            logout(request)
            if is_background(request):
                return HttpResponse(status=_STOP_POLLING, headers={"HX-Reswap": "none"})
        elif not is_background(request):
            note_activity(request.session, now=now)
        return self.get_response(request)


def is_background(request: HttpRequest) -> bool:
    """Return whether the page asked by itself: htmx fetches parts of a page with GET."""
    return request.method == "GET" and request.headers.get("HX-Request") == "true"


def note_activity(session: SessionBase, *, now: datetime) -> None:
    """Start the idle time again; the first call also starts the whole session's time."""
    at = int(now.timestamp())
    session.setdefault(BEGAN, at)
    if at - int(session.get(SEEN, 0)) >= RESOLUTION_SECONDS:
        session[SEEN] = at


def restart_idle_time(session: SessionBase, *, now: datetime) -> None:
    """Start the idle time again, to the second: the person said that they are there."""
    at = int(now.timestamp())
    session.setdefault(BEGAN, at)
    session[SEEN] = at


def seconds_left(session: SessionBase, *, now: datetime) -> int:
    """Return how long the session still lasts without any sign of life; 0 or less when it has ended."""
    at = int(now.timestamp())
    began, seen = int(session.get(BEGAN, at)), int(session.get(SEEN, at))
    return min(seen + settings.STAFF_IDLE_SECONDS, began + settings.SESSION_COOKIE_AGE) - at


def can_be_extended(session: SessionBase, *, now: datetime) -> bool:
    """Return whether a sign of life makes the session longer; not in its last minutes of the eight hours."""
    began = int(session.get(BEGAN, now.timestamp()))
    return began + settings.SESSION_COOKIE_AGE - int(now.timestamp()) > settings.STAFF_IDLE_SECONDS
