"""The provider's companion page: who is here, and the way into Teams."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from core.access import access
from core.errors import ConfigurationError, ConnectorError
from launch import cookies, words
from launch.forms import InvitationForm, JoinForm, RevocationForm
from launch.models import LaunchAttempt
from launch.presenters import StatusPresenter
from launch.presenters_invitations import ROLES, rows
from launch.services import accounts, invitations, texting
from launch.services.joining import go_to_teams
from launch.views.pages import context_of, refused, see_other, to_teams, visit_page

_UNCHANGED = _NO_MORE = 204
_CONFLICT = 409
WAYS = [(cookies.APP, "Join in Teams app"), (cookies.BROWSER, "Join in browser")]


@require_safe
@visit_page(provider=True)
def status(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Show the page."""
    return _page(request, attempt, texted="texted" in request.GET, invited="invited" in request.GET)


@require_safe
@visit_page(provider=True)
def status_part(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Show the living part of the page, asked for every two seconds; nothing when nothing has changed."""
    page = StatusPresenter(attempt, timezone.now())
    if page.version == request.GET.get("seen"):
        return HttpResponse(status=_UNCHANGED)
    return render(request, "launch/_status.html", _living(request, attempt, page))


@access("launch")
@require_safe
def no_stream(request: HttpRequest) -> HttpResponse:
    """Say that there is no live stream: :mod:`launch.stream` answers this address under ASGI; elsewhere pages poll."""
    return HttpResponse(status=_NO_MORE)


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=True)
def text_again(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Send the patients the newest text with their link again."""
    now = timezone.now()
    try:
        texting.text_link_again(attempt, now=now)
    except ConfigurationError as error:
        return _page(request, attempt, refused="The link was not sent again", refusal=error.user_message)
    return see_other("launch:status", query="texted")


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=True)
def invite(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Make an invitation and show its link."""
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return see_other("launch:status")
    try:
        invitations.invite(attempt, role=form.cleaned_data["role"], now=timezone.now())
    except ConnectorError as error:
        return _page(request, attempt, refused="Nobody was invited", refusal=words.for_staff(error).happened)
    return see_other("launch:status", query="invited")


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=True)
def revoke(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Take an invitation back."""
    form = RevocationForm(request.POST)
    if form.is_valid():
        invitations.revoke(attempt, form.cleaned_data["invitation"], now=timezone.now())
    return see_other("launch:status")


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=True, opens_window=True)
def join(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Go on to Teams; by way of Microsoft's sign-in when it must be known once whose account it is."""
    chosen = JoinForm(request.POST)
    opens_in = chosen.cleaned_data["opens_in"] if chosen.is_valid() else ""
    try:
        if accounts.is_wanted(attempt) and "as_is" not in request.POST:
            response = render(request, "launch/first_time.html", _first_time(attempt, opens_in))
        else:
            response = _open_teams(request, attempt, opens_in or cookies.opens_in(request))
    except ConnectorError as error:
        response = refused(request, error, for_patient=False, attempt=attempt)
    return _remember(response, attempt, opens_in)


@require_safe
@visit_page(provider=True)
def account_callback(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Take the browser back from Microsoft's sign-in, and go on to Teams."""
    try:
        state, code = request.GET.get("state", ""), request.GET.get("code", "")
        accounts.finish(attempt, state=state, code=code, now=timezone.now())
        return _open_teams(request, attempt, cookies.opens_in(request))
    except ConnectorError as error:
        return refused(request, error, for_patient=False, attempt=attempt)


def _first_time(attempt: LaunchAttempt, opens_in: str) -> dict[str, object]:
    return context_of(
        attempt, sign_in=accounts.begin(attempt), opens_in=opens_in, ticket=cookies.window_ticket(attempt)
    )


def _open_teams(request: HttpRequest, attempt: LaunchAttempt, opens_in: str) -> HttpResponse:
    address = go_to_teams(attempt, now=timezone.now())
    return to_teams(request, address, in_app=opens_in == cookies.APP)


def _remember(response: HttpResponse, attempt: LaunchAttempt, opens_in: str) -> HttpResponse:
    """Let this window come back to the visit, and this browser open Teams as it did now."""
    cookies.remember_visit(response, attempt)
    if opens_in:
        cookies.set_cookie(response, cookies.OPENS_IN_COOKIE, opens_in, lasts=cookies.OPENS_IN_LASTS)
    return response


def _page(request: HttpRequest, attempt: LaunchAttempt, **said: object) -> HttpResponse:
    """Show the whole page; with a ``refusal`` it says what did not go."""
    now = timezone.now()
    page = StatusPresenter(attempt, now)
    context = {**_living(request, attempt, page), "invitable": ROLES, "invitations": rows(page.visit, now=now), **said}
    return render(request, "launch/status.html", context, status=_CONFLICT if "refusal" in said else None)


def _living(request: HttpRequest, attempt: LaunchAttempt, page: StatusPresenter) -> dict[str, object]:
    """Return what the living part of the page needs; the way to open Teams that was taken last comes first."""
    ways = WAYS if cookies.opens_in(request) != cookies.BROWSER else WAYS[::-1]
    return context_of(attempt, page_status=page, ways=ways, ticket=cookies.window_ticket(attempt))
