"""Keeps a staff session alive when the person answers the warning, and tells a page how long it has."""

from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from core import session_limits
from core.access import access

_SIGNED_OUT = {"seconds": 0, "can_extend": False}


@access("staff")
@require_POST
def extend_session(request: HttpRequest) -> JsonResponse:
    """Start the idle time again and say how many seconds the session now has; 401 when it has ended."""
    if not request.user.is_authenticated:
        return JsonResponse(_SIGNED_OUT, status=401)
    now = timezone.now()
    session_limits.restart_idle_time(request.session, now=now)
    return JsonResponse(_state(request))


@access("public")
@require_safe
def session_state(request: HttpRequest) -> JsonResponse:
    """Say how long the session lasts, and the form token that holds now: signing in elsewhere changes it.

    A page of which the session ended can so go on with what was typed, once its reader has signed in again.
    """
    state = _state(request) if request.user.is_authenticated else dict(_SIGNED_OUT)
    return JsonResponse({**state, "token": get_token(request)})


def _state(request: HttpRequest) -> dict[str, object]:
    now = timezone.now()
    return {
        "seconds": session_limits.seconds_left(request.session, now=now),
        "can_extend": session_limits.can_be_extended(request.session, now=now),
    }
