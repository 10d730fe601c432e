"""The tabs of the reports."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from reports.presenters import tabs
from reports.presenters.meanings import meanings
from reports.presenters.report import status_choices, text_status_choices
from reports.presenters.texts import TEXT_ROWS, microsoft_statuses, text_meanings
from reports.presenters.texts import USUAL as TEXTS_SHOWN
from reports.services import allocation, texts
from reports.services.figures import By, figures, total
from reports.services.sorting import page
from reports.views.scene import READERS, scene
from sms.models import SmsMessage


@portal_page(*READERS)
@require_safe
def appointments(request: PortalRequest) -> HttpResponse:
    """Show how many visits there were each day, and how they went."""
    seen = scene(request, statuses=status_choices())
    by_day = figures(seen.asked, By.DAY)
    whole = total(by_day.values())
    context = {
        **seen.context("appointments"),
        "stats": tabs.appointment_stats(whole, seen.address, seen.privacy),
        "chart": tabs.appointment_chart(by_day, seen.asked, seen.address, seen.privacy),
        "table": seen.visits("appointments", count=whole.visits),
    }
    return render(request, "reports/report.html", context)


@portal_page(*READERS)
@require_safe
def duration(request: PortalRequest) -> HttpResponse:
    """Show how long visits were, and how long people waited."""
    seen = scene(request, statuses=status_choices())
    by_day = figures(seen.asked, By.DAY, with_sketches=True)
    whole = total(by_day.values())
    context = {
        **seen.context("duration"),
        "stats": tabs.duration_stats(whole, seen.privacy),
        "chart": tabs.duration_chart(by_day, seen.asked, seen.address, seen.privacy),
        "table": seen.visits("duration", count=whole.visits),
        "meanings": meanings("percentiles"),
    }
    return render(request, "reports/report.html", context)


@portal_page(*READERS)
@require_safe
def ehr(request: PortalRequest) -> HttpResponse:
    """Show visits by FHIR endpoint, department or visit type."""
    seen = scene(request, statuses=status_choices())
    by_day = figures(seen.asked, By.DAY)
    whole = total(by_day.values())
    by = next((one for one in tabs.BREAKDOWNS if one.value == seen.address.get("by")), By.DEPARTMENT)
    endpoints = list(FhirEndpoint.objects.for_organization(request.organization))
    context = {
        **seen.context("ehr"),
        "stats": tabs.ehr_stats(whole, allocation.month_usage(seen.asked, now=seen.now), seen.address, seen.privacy),
        "chart": tabs.ehr_chart(by_day, seen.asked, seen.address, seen.privacy),
        "breakdown": tabs.breakdown(
            figures(seen.asked, by, with_sketches=True), by, endpoints, seen.address, seen.privacy
        ),
        "breakdown_heads": tabs.BREAKDOWN_HEADS,
        "breakdown_name": tabs.BREAKDOWNS[by],
        "breakdown_tabs": [
            (label, f"{seen.address.changed(by=one.value)}#breakdown", one is by)
            for one, label in tabs.BREAKDOWNS.items()
        ],
        "table": seen.visits("ehr", count=whole.visits),
    }
    return render(request, "reports/report.html", context)


@portal_page(*READERS)
@require_safe
def sms(request: PortalRequest) -> HttpResponse:
    """Show what became of texts: accepted is not delivered, and why not."""
    seen = scene(request, statuses=text_status_choices())
    del seen.form.fields["provider"]
    outcomes = texts.outcomes(seen.asked)

    def rows(sort: str, number: int) -> Iterable[SmsMessage]:
        return page(texts.sorted_texts(seen.asked, sort), number)

    context = {
        **seen.context("sms"),
        "stats": tabs.text_stats(outcomes, texts.segments(seen.asked), seen.address, seen.privacy),
        "chart": tabs.text_chart(texts.by_day(seen.asked), seen.asked, seen.address, seen.privacy),
        "statuses": microsoft_statuses(outcomes, seen.address, seen.privacy),
        "table": seen.table(TEXT_ROWS, rows, usual=TEXTS_SHOWN, count=outcomes.total()),
        "meanings": text_meanings(),
    }
    return render(request, "reports/sms.html", context)
