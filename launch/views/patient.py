"""The patient's pages: from the link in a text to the waiting page, on to Teams, and out again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.authentication import CSRFCheck

from core.access import access
from core.errors import ConnectorError, LaunchRefused
from core.security import allow_camera_and_microphone
from launch import addresses, cookies, languages
from launch.forms import RatingForm
from launch.models import LaunchAttempt
from launch.presenters import WaitingPresenter
from launch.services import device_tests, joining, misses, ratings
from launch.views.pages import belongs_to, blocked, context_of, refused, see_other, stopped, to_teams, visit_page
from visits.models import JoinLink

_UNCHANGED = 204


@access("public")
# Django's own check, made below so that its refusal is a page in the patient's language.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Show whose visit it is and a button (GET changes nothing), or let the patient in (POST)."""
    network = addresses.client_network(request)
    try:
        if misses.is_blocked(network):
            return blocked(request)
        found = joining.find_link(token)
        if found is None:
            return _missed(request, network)
    except ConnectorError as error:
        return refused(request, error, for_patient=True)
    belongs_to(request, found.visit.endpoint, for_patient=True)
    languages.speak_to_patient(request, found.contact)
    if request.method == "POST":
        return _check_in(request, found)
    return render(request, "launch/link.html")


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


def _check_in(request: HttpRequest, found: JoinLink) -> HttpResponse:
    """Let the holder of a link in, by way of the device test if one is due; ``only_test`` wants nothing else."""
    if _csrf_problem(request):
        error = LaunchRefused("join.no_cookie")
        return refused(request, error, for_patient=True, endpoint=found.visit.endpoint)
    now, only_test = timezone.now(), "only_test" in request.POST
    try:
        attempt = joining.begin_test(found, now=now) if only_test else joining.check_in(found, now=now)
    except ConnectorError as error:
        return stopped(request, error, endpoint=found.visit.endpoint)
    user_agent = request.headers.get("User-Agent", "")
    is_tested_first = only_test or device_tests.is_due(attempt, user_agent=user_agent, now=now)
    response = see_other("launch:device_test" if is_tested_first else "launch:visit")
    cookies.remember_visit(response, attempt)
    return response


def _csrf_problem(request: HttpRequest) -> str | None:
    """Return what is wrong with the form's own token and its cookie, as Django's check says it."""
    check = CSRFCheck(_answer_nothing)
    check.process_request(request)
    problem = check.process_view(request, _answer_nothing, (), {})
    return str(problem) if problem else None


def _answer_nothing(_: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _missed(request: HttpRequest, network: str) -> HttpResponse:
    """Count a wrong link. The page is the same for every one of them, whatever is wrong with it."""
    is_one_too_many = misses.count_miss(network) > misses.MOST_IN_A_MINUTE
    return refused(request, LaunchRefused("join.too_many" if is_one_too_many else "join.unknown"), for_patient=True)


def _load_again() -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": reverse("launch:visit")})
