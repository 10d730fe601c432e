"""The device test: one question a page at a time, and the measurements behind it."""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from core.errors import ConnectorError
from core.security import allow_camera_and_microphone
from launch.forms import DeviceTestForm
from launch.models import LaunchAttempt
from launch.presenters_device_test import DeviceTestPresenter
from launch.services import device_tests
from launch.views.pages import context_of, visit_page

_DOWNLOAD_BYTES = 400_000
_NO_CONTENT, _BAD_REQUEST, _TOO_MANY, _UNAVAILABLE = 204, 400, 429, 503


@require_safe
@visit_page(provider=False)
def page(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Show the device test; ``?all`` asks everything again."""
    now = timezone.now()
    earlier = None if "all" in request.GET else device_tests.newest_of(attempt, now=now)
    user_agent = request.headers.get("User-Agent", "")
    presenter = DeviceTestPresenter(attempt, family=device_tests.family_of(user_agent), earlier=earlier, now=now)
    response = render(request, "launch/device_test.html", context_of(attempt, test=presenter))
    allow_camera_and_microphone(response)
    return response


@require_safe
@visit_page(provider=False)
def sample(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Send bytes that do not compress, or with ``?empty`` none, for speed and round trip to be measured."""
    refusal = _over_the_allowance(attempt)
    size = 0 if "empty" in request.GET else _DOWNLOAD_BYTES
    response = refusal or HttpResponse(secrets.token_bytes(size), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    return response


# visit_page checks the form's own token; Django's needs a cookie that frames lose.
@csrf_exempt
@require_POST
@visit_page(provider=False)
def upload(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Take bytes and forget them, for the speed from the patient to be measured."""
    return _over_the_allowance(attempt) or HttpResponse(status=_NO_CONTENT)


@csrf_exempt
@require_POST
@visit_page(provider=False)
def result(request: HttpRequest, attempt: LaunchAttempt) -> HttpResponse:
    """Store what the test found out."""
    form = DeviceTestForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=_BAD_REQUEST)
    try:
        device_tests.record(
            attempt,
            results=form.results,
            measures=form.measures,
            user_agent=request.headers.get("User-Agent", ""),
            now=timezone.now(),
        )
    except ConnectorError:
        return HttpResponse(status=_TOO_MANY)
    return HttpResponse(status=_NO_CONTENT)


def _over_the_allowance(attempt: LaunchAttempt) -> HttpResponse | None:
    try:
        device_tests.allow_transfer(attempt)
    except ConnectorError as error:
        return HttpResponse(status=_UNAVAILABLE if error.retryable else _TOO_MANY)
    return None
