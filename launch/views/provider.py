"""The provider's companion page: who is here, and the way into Teams."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from core.access import access
from core.errors import ConfigurationError, ConnectorError
from launch import words
from launch.forms import InvitationForm, RevocationForm
from launch.models import LaunchAttempt
from launch.presenters import StatusPresenter
from launch.presenters_invitations import ROLES, rows
from launch.services import invitations, texting
from launch.services.joining import go_to_teams
from launch.views.pages import context_of, refused, see_other, to_teams, visit_page

_UNCHANGED = _NO_MORE = 204
_CONFLICT = 409


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
    return render(request, "launch/_status.html", context_of(attempt, page_status=page))


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
@visit_page(provider=True)
def join(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Go on to Teams."""
    try:
        return to_teams(request, go_to_teams(attempt, now=timezone.now()))
    except ConnectorError as error:
        return refused(request, error, for_patient=False, attempt=attempt)


def _page(request: HttpRequest, attempt: LaunchAttempt, **said: object) -> HttpResponse:
    """Show the whole page; with a ``refusal`` it says what did not go."""
    now = timezone.now()
    page = StatusPresenter(attempt, now)
    context = context_of(
        attempt,
        page_status=page,
        invitable=ROLES,
        invitations=rows(page.visit, now=now),
        **said,
    )
    return render(request, "launch/status.html", context, status=_CONFLICT if "refusal" in said else None)
