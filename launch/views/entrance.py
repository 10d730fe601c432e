"""The page behind a link that needs no account: looking changes and discloses nothing, the button lets one in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework.authentication import CSRFCheck

from core.errors import ConnectorError, LaunchRefused
from launch import addresses, cookies, languages
from launch.models import LaunchAttempt
from launch.services import device_tests, misses
from launch.views.pages import belongs_to, blocked, refused, see_other, stopped


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """One kind of link.

    :param find: returns what a token opens, with its ``visit`` and ``contact``; None when it opens nothing.
    :param check_in: lets its holder in, or only test the device; raises what :func:`stopped` explains.
    """

    find: Callable[[str, datetime], Any]
    check_in: Callable[[Any, datetime, bool], LaunchAttempt]
    template: str


def enter(request: HttpRequest, token: str, way: Entrance) -> HttpResponse:
    """Show whose visit it is and a button (GET changes nothing), or let the person in (POST).

    Wrong links of every kind are counted together. The view must be exempt from Django's check of forms, which is
    made here so that its refusal is a page in the person's language.
    """
    network, now = addresses.client_network(request), timezone.now()
    try:
        if misses.is_blocked(network):
            return blocked(request)
        found = way.find(token, now)
        if found is None:
            return _missed(request, network)
    except ConnectorError as error:
        return refused(request, error, for_patient=True)
    belongs_to(request, found.visit.endpoint, for_patient=True)
    languages.speak_to_patient(request, found.contact)
    if request.method == "POST":
        return _check_in(request, found, way, now=now)
    return render(request, way.template)


def _check_in(request: HttpRequest, found: Any, way: Entrance, *, now: datetime) -> HttpResponse:
    """Let the holder of a link in, by way of the device test if one is due; ``only_test`` wants nothing else."""
    endpoint, only_test = found.visit.endpoint, "only_test" in request.POST
    if _csrf_problem(request):
        return refused(request, LaunchRefused("join.no_cookie"), for_patient=True, endpoint=endpoint)
    try:
        attempt = way.check_in(found, now, only_test)
    except ConnectorError as error:
        return stopped(request, error, endpoint=endpoint)
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
