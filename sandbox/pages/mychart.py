"""The MyChart-like page: a patient's visits."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sandbox.models import Appointment
from sandbox.pages.presenters import AppointmentRow
from sandbox.pages.schedule import newest_by_start
from sandbox.people import PATIENTS

MOST_ROWS = 20
_SHOWN_AFTER_START = timedelta(hours=6)


@require_safe
def visits(request: HttpRequest) -> HttpResponse:
    """Show the video visits of one patient; ``?part=rows`` is the living part alone."""
    patient, now = PATIENTS.get(request.GET.get("patient", ""), PATIENTS["rivera"]), timezone.now()
    since = now - _SHOWN_AFTER_START
    mine = Appointment.objects.filter(patient=patient.key, starts_at__gte=since).prefetch_related("messages")
    tabs = [(one.name, f"?patient={one.key}", one is patient) for one in PATIENTS.values()]
    rows = [AppointmentRow(appointment, now=now) for appointment in newest_by_start(mine, most=MOST_ROWS)]
    is_part = request.GET.get("part") == "rows"
    template = "sandbox/pages/_mychart_rows.html" if is_part else "sandbox/pages/mychart.html"
    return render(request, template, {"patient": patient, "tabs": tabs, "rows": rows})
