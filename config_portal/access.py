"""Guard staff pages: signed in, member of an organization, with one of the roles."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import translation

from accounts.models import Role
from config_portal.requests import PortalRequest
from core.access import access
from core.page import ErrorPage

View = Callable[..., HttpResponseBase]


def portal_page(*roles: Role) -> Callable[[View], View]:
    """Let in signed-in staff who have one of ``roles`` in the current organization; all roles when none is named."""
    allowed = frozenset(roles or Role)

    def guard(view: View) -> View:
        @access(f"portal: {', '.join(sorted(allowed))}")
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            staff = cast("PortalRequest", request)
            if not allowed & staff.roles:
                if not (staff.roles or staff.user.is_superuser):
                    logout(request)  # nothing here is theirs any more
                return no_access(request)
            with translation.override("en"):  # staff pages are written in English, dates included
                return view(staff, *args, **kwargs)

        return guarded

    return guard


def no_access(request: HttpRequest) -> HttpResponse:
    """Tell somebody without a role for a page whom to ask."""
    page = ErrorPage(
        title="You cannot open this page",
        happened="Your account has no role for it.",
        todo="Ask your Microsoft 365 administrator to give you an app role of the EHR connector, then sign in again.",
    )
    return render(request, "core/error.html", {"error": page}, status=403)
