"""The control addresses: what a script asks the twin to do. No sign-in; the sandbox binds loopback only."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sandbox import faults, setup
from sandbox.epic import launches, schedule
from sandbox.http import BadRequest, json_body
from sandbox.models import Appointment
from sandbox.setup import ENVIRONMENTS

View = Callable[..., HttpResponse]


def answering(view: View) -> View:
    """Turn what a view could not understand into 400 with the reason."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except schedule.CannotChange as error:
            return JsonResponse({"error": str(error)}, status=409)
        except (BadRequest, LookupError, ValueError, TypeError) as error:
            return JsonResponse({"error": str(error)}, status=400)

    return answer


@answering
@require_http_methods(["GET", "PUT"])
def setup_view(request: HttpRequest) -> HttpResponse:
    """Take over what an administrator would type in."""
    if request.method == "PUT":
        setup.apply(json_body(request))
    return JsonResponse(setup.current())


@answering
@require_http_methods(["GET", "PUT"])
def faults_view(request: HttpRequest) -> HttpResponse:
    """Switch on just the faults that are named."""
    if request.method == "PUT":
        faults.replace({name: str(value or "") for name, value in json_body(request).items()})
    return JsonResponse(faults.current())


@answering
@require_POST
def visits(request: HttpRequest) -> HttpResponse:
    """Book a visit, or with ``patients`` a group visit, and say how its messages were acknowledged."""
    body, now = json_body(request), timezone.now()
    environment = str(body.get("environment", "test"))
    if environment not in ENVIRONMENTS:
        raise BadRequest(f"environment: {' or '.join(ENVIRONMENTS)}")
    common: dict[str, Any] = {
        "environment": environment,
        "provider": str(body.get("provider", "okafor")),
        "starts_at": _start(body, now=now),
        "minutes": int(body.get("minutes", 30)),
        "now": now,
    }
    if "patients" in body:
        messages = schedule.book_group(patients=[str(name) for name in body["patients"]], **common)
        return JsonResponse({"appointments": [schedule.as_answer(message) for message in messages]}, status=201)
    message = schedule.book(patient=str(body.get("patient", "rivera")), **common)
    return JsonResponse(schedule.as_answer(message), status=201)


@answering
@require_POST
def change(request: HttpRequest, csn: str, act: str) -> HttpResponse:
    """Move, cancel or mark a no-show."""
    appointment, now = get_object_or_404(Appointment, pk=csn), timezone.now()
    starts_at = _start(json_body(request), now=now)
    return JsonResponse(schedule.as_answer(schedule.act(appointment, act, starts_at=starts_at, now=now)))


@answering
@require_POST
def launch(request: HttpRequest, csn: str) -> HttpResponse:
    """Return the address that Epic would open, with a fresh launch token."""
    appointment = get_object_or_404(Appointment, pk=csn)
    audience = str(json_body(request).get("audience", "provider"))
    return JsonResponse({"url": launches.launch_url(appointment, audience)})


def _start(body: dict[str, Any], *, now: datetime) -> datetime:
    if "starts_at" in body:
        moment = datetime.fromisoformat(str(body["starts_at"]))
        if moment.tzinfo is None:
            raise BadRequest("starts_at needs an offset")
        return moment
    start = now + timedelta(minutes=int(body.get("starts_in_minutes", 20)))
    return start.replace(second=0, microsecond=0)
