"""The Epic-like schedule."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sandbox.epic import launches, schedule
from sandbox.hl7.compose import ZONE
from sandbox.models import Appointment
from sandbox.pages.presenters import AppointmentRow
from sandbox.pages.problems import explaining
from sandbox.people import PATIENTS, PROVIDERS
from sandbox.setup import ENVIRONMENTS

MOST_ROWS = 60
_SHOWN_AFTER_START = timedelta(hours=6)
_MINUTES = 30
EVERYBODY = "everybody"  # in place of a patient: a group visit
_ACTS = (
    ("move", "Move by an hour"),
    ("hand_over", "Give to another provider"),
    ("cancel", "Cancel the visit"),
    ("no_show", "Mark as no-show"),
)


def newest_by_start(appointments: QuerySet[Appointment], *, most: int) -> list[Appointment]:
    """Return the visits booked last, in the order in which they start: on a full day, a new one must still show."""
    return sorted(appointments.order_by("-created_at")[:most], key=lambda appointment: appointment.starts_at)


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Show the schedule; ``?part=rows`` is the living part alone."""
    now = timezone.now()
    appointments = Appointment.objects.filter(starts_at__gte=now - _SHOWN_AFTER_START).prefetch_related("messages")
    context = {
        "rows": [AppointmentRow(appointment, now=now) for appointment in newest_by_start(appointments, most=MOST_ROWS)],
        "acts": _ACTS,
        "patients": PATIENTS.values(),
        "everybody": EVERYBODY,
        "providers": PROVIDERS.values(),
        "environments": ENVIRONMENTS,
        "suggested": f"{(now + timedelta(minutes=20)).astimezone(ZONE):%Y-%m-%dT%H:%M}",
    }
    is_part = request.GET.get("part") == "rows"
    return render(request, "sandbox/pages/_schedule_rows.html" if is_part else "sandbox/pages/schedule.html", context)


@require_POST
@explaining
def book(request: HttpRequest) -> HttpResponse:
    """Book a visit from the form."""
    given, environment = request.POST, request.POST.get("environment", "")
    if environment not in ENVIRONMENTS:
        raise LookupError(f"environment: {' or '.join(ENVIRONMENTS)}")
    common: dict[str, Any] = {
        "environment": environment,
        "provider": given.get("provider", ""),
        "starts_at": datetime.fromisoformat(given.get("starts_at", "")).replace(tzinfo=ZONE),
        "minutes": _MINUTES,
        "now": timezone.now(),
    }
    if given.get("patient") == EVERYBODY:
        schedule.book_group(patients=list(PATIENTS), **common)
    else:
        schedule.book(patient=given.get("patient", ""), **common)
    return redirect("schedule")


@require_POST
@explaining
def act(request: HttpRequest, csn: str, act: str) -> HttpResponse:
    """Change a visit as one of the menu's acts says; a move is one by an hour."""
    appointment = get_object_or_404(Appointment, pk=csn)
    later = appointment.starts_at + timedelta(hours=1)
    schedule.act(appointment, act, starts_at=later, now=timezone.now())
    return redirect("schedule")


@require_POST
@explaining
def begin(request: HttpRequest, csn: str, audience: str) -> HttpResponse:
    """Open the visit as Hyperspace or MyChart would."""
    return redirect(launches.launch_url(get_object_or_404(Appointment, pk=csn), audience))
