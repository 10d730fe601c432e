"""The patient's pages: from the link in a text to the waiting page, on to Teams, and out again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import access
from core.errors import ConnectorError
from core.security import allow_camera_and_microphone
from launch.forms import RatingForm
from launch.models import LaunchAttempt
from launch.presenters import WaitingPresenter
from launch.services import joining, ratings
from launch.views.entrance import Entrance, enter
from launch.views.pages import context_of, see_other, stopped, to_teams, visit_page

_UNCHANGED = 204
_FROM_A_TEXT = Entrance(
    find=lambda token, _now: joining.find_link(token),
    check_in=lambda found, now, only_test: (joining.begin_test if only_test else joining.check_in)(found, now=now),
    template="launch/link.html",
)


@access("public")
# Django's own check, made below so that its refusal is a page in the patient's language.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Show whose visit it is and a button, or let the patient in."""
    return enter(request, token, _FROM_A_TEXT)


@require_safe
@visit_page(provider=False)
def visit(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Show the waiting page; to somebody who has left, the end page."""
    now = timezone.now()
    try:
        joining.come_in(attempt, now=now)
    except ConnectorError as error:
        return stopped(request, error, attempt=attempt)
    page = WaitingPresenter(attempt, now)
    response = render(request, page.template, context_of(attempt, page_visit=page))
    allow_camera_and_microphone(response)
    return response


@require_safe
@visit_page(provider=False)
def visit_part(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Show the living part of the waiting page; the whole page anew when it is no longer the right one."""
    now = timezone.now()
    page = WaitingPresenter(attempt, now)
    try:
        joining.check_way_in(attempt, now=now)
    except ConnectorError:
        return _load_again()
    if page.has_left:
        return _load_again()
    if page.version == request.GET.get("seen"):
        return HttpResponse(status=_UNCHANGED)
    return render(request, "launch/_visit_part.html", context_of(attempt, page_visit=page))


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=False)
def join(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Go on to Teams."""
    try:
        return to_teams(request, joining.go_to_teams(attempt, now=timezone.now()))
    except ConnectorError as error:
        return stopped(request, error, attempt=attempt)


@require_safe
@visit_page(provider=False)
def end(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Show the page after the visit."""
    page = WaitingPresenter(attempt, timezone.now())
    return render(request, "launch/end.html", context_of(attempt, page_visit=page))


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=False)
def rate(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Take the answer to the one question after a visit."""
    form = RatingForm(request.POST)
    if form.is_valid():
        ratings.rate(attempt, is_good=form.cleaned_data["answer"] == "good", now=timezone.now())
    return see_other("launch:visit_end")


def _load_again() -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": reverse("launch:visit")})
