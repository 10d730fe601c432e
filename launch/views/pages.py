"""What the pages of a launch share: frames, refusals, the way to the visit behind a cookie."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config_portal.models import FhirEndpoint
from core.access import access
from core.context import request_id, set_request_id
from core.errors import ConnectorError, LaunchRefused
from core.page import EnvironmentBand
from core.security import allow_framing
from core.views import refusal
from launch import cookies, languages, words
from launch.models import LaunchAttempt
from launch.moments import spoken
from launch.services.joining import TooEarly

View = Callable[..., HttpResponse]

HTMX_STOP_POLLING = 286
_TEAMS_HOSTS = {"teams.microsoft.com", "teams.cloud.microsoft"}


class SeeOther(HttpResponseRedirectBase):
    """Go on to another page with GET, whatever brought the browser here (RFC 9110, section 15.4.4)."""

    status_code = 303


def see_other(name: str, *, query: str = "") -> SeeOther:
    """Send the browser to the page with this URL name, whose address holds no token."""
    return SeeOther(f"{reverse(name)}?{query}" if query else reverse(name))


def belongs_to(request: HttpRequest, endpoint: FhirEndpoint, *, for_patient: bool) -> None:
    """Let the layout name the organization and the environment; patients are told of a test one only."""
    request.organization = endpoint.organization  # type: ignore[attr-defined]  # read by the layout
    if endpoint.is_production and for_patient:
        return
    band = EnvironmentBand(environment=endpoint.environment, name=endpoint.name)
    request.environment_band = band  # type: ignore[attr-defined]  # read by the layout


def framed(response: HttpResponse, endpoint: FhirEndpoint) -> HttpResponse:
    """Let the hospital's own Epic and MyChart show this page in a frame, as approved."""
    version = endpoint.approved_version
    allow_framing(response, version.snapshot["endpoint"]["frame_ancestors"] if version else [])
    return response


def refused(
    request: HttpRequest,
    error: ConnectorError,
    *,
    for_patient: bool,
    endpoint: FhirEndpoint | None = None,
    attempt: LaunchAttempt | None = None,
) -> HttpResponse:
    """Show why it does not go on, with a reference number, and leave an audit event.

    :param attempt: whose reference the page shows, so that support staff find it.
    """
    page = words.for_patient(error) if for_patient else words.for_staff(error)
    audited: dict[str, Any] = {"organization_id": endpoint.organization_id} if endpoint else {}
    if attempt is not None:
        audited |= {"organization_id": attempt.organization_id, "subject": attempt, "reference": attempt.reference}
    return refusal(
        request,
        LaunchRefused(error.code, str(page.happened)),
        title=str(page.title),
        todo=str(page.todo),
        status=page.status,
        template="launch/refused.html" if for_patient else "core/error.html",
        **audited,
    )


def blocked(request: HttpRequest) -> HttpResponse:
    """Show that there were too many wrong links.

    Without an audit event: the one of the miss that went too far stands, and a flood must not fill the trail.
    """
    page = words.for_patient(LaunchRefused("join.too_many"))
    return render(request, "launch/refused.html", {"error": page}, status=page.status)


def stopped(request: HttpRequest, error: ConnectorError, **known: Any) -> HttpResponse:
    """Show a patient why they cannot go in; too early is no error and says when to come back.

    :param known: ``endpoint`` or ``attempt``.
    """
    if isinstance(error, TooEarly):
        opens = spoken(error.opens_at, time_zone=error.time_zone, now=timezone.now())
        return render(request, "launch/too_early.html", {"opens": opens}, status=409)
    return refused(request, error, for_patient=True, **known)


def to_teams(request: HttpRequest, address: str, *, in_app: bool = False) -> HttpResponse:
    """Send the browser on to Teams by a page of its own.

    Not by a redirect: browsers check every redirect that follows a form against ``form-action``, and where
    Teams redirects to is its own affair.
    """
    first = app_address(address) if in_app else address
    response = render(request, "launch/to_teams.html", {"address": first, "in_browser": address})
    response["Referrer-Policy"] = "no-referrer"  # the page has no form of ours that would need one
    return response


def app_address(address: str) -> str:
    """Return the address that opens the Teams app without asking; where that is not known, ``address`` itself.

    Documentation: learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-links, "msteams:".
    """
    host, path = urlsplit(address).netloc, address.partition("://")[2].partition("/")[2]
    return f"msteams:/{path}" if host in _TEAMS_HOSTS else address


def visit_page(*, provider: bool, opens_window: bool = False) -> Callable[[View], View]:
    """Guard a page of a visit: the browser's cookie must vouch for an attempt of the right kind.

    What a page sends (a form, or the request for its living part) must carry the page's own token too:
    a page that was opened for one visit never shows or joins another.

    :param opens_window: a page in a frame may open this one in a window, where its cookie is not to be had.
    """

    def guard(view: View) -> View:
        @access("launch")
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            attempt = cookies.current_attempt(request)
            if attempt is None and opens_window and request.method == "POST":
                attempt = cookies.attempt_of_window(request)
            if provider:
                languages.speak_to_staff(request)
            if attempt is None or attempt.visit is None or attempt.is_provider != provider:
                return _turned_away(request, LaunchRefused("visit.no_cookie"), for_patient=not provider)
            if not provider:
                languages.speak_to_patient(request, attempt.contact)
            set_request_id(attempt.request_id or request_id())  # one id from the launch to what Epic is told
            belongs_to(request, attempt.endpoint, for_patient=not provider)
            if not _is_from_our_page(request, attempt):
                return _turned_away(request, LaunchRefused("visit.other_visit"), for_patient=not provider)
            return framed(view(request, attempt, *args, **kwargs), attempt.endpoint)

        return guarded

    return guard


def context_of(attempt: LaunchAttempt, **more: Any) -> dict[str, Any]:
    """Return what every page of a visit needs."""
    return {"attempt": attempt, "visit": attempt.visit, "form_token": cookies.form_token(attempt), **more}


def _is_from_our_page(request: HttpRequest, attempt: LaunchAttempt) -> bool:
    if request.method == "POST":
        return cookies.is_form_token(request.POST.get("token", ""), attempt)
    if request.headers.get("HX-Request"):
        return cookies.is_form_token(request.headers.get("X-Visit", ""), attempt)
    return True


def _turned_away(request: HttpRequest, error: LaunchRefused, *, for_patient: bool) -> HttpResponse:
    """Refuse; a page that only asked for its living part is told once, in its place, and asks no more."""
    if not request.headers.get("HX-Request"):
        return refused(request, error, for_patient=for_patient)
    page = words.for_patient(error) if for_patient else words.for_staff(error)
    return render(request, "launch/_stopped.html", {"page": page}, status=HTMX_STOP_POLLING)
