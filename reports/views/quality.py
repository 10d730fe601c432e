"""The Call quality tab."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from reports.presenters import quality as words
from reports.services import call_figures, call_quality
from reports.services.visits import PAGE
from reports.views.scene import READERS, Scene, scene


@portal_page(*READERS)
@require_safe
def quality(request: PortalRequest) -> HttpResponse:
    """Show how picture and sound were, why they were poor, and what device tests foretold."""
    seen = scene(request, statuses=words.status_choices())
    found = call_figures.quality(seen.asked)
    by = seen.address.get("by")
    group = by if by in call_figures.GROUPS else "platform"
    context = {
        **seen.context("quality"),
        "trouble": words.trouble(call_quality.error_of(request.organization)),
        "stats": words.quality_stats(found, seen.address, seen.privacy),
        "chart": words.quality_chart(found, seen.asked, seen.address, seen.privacy),
        "group_name": words.GROUP_LABELS[group],
        "group_tabs": [
            (label, f"{seen.address.changed(by=key)}#breakdown", key == group)
            for key, label in words.GROUP_LABELS.items()
        ],
        "group_rows": words.group_rows(call_figures.streams_by(seen.asked, group), seen.privacy),
        "reasons": words.reason_rows(found.due_to, seen.privacy),
        "tests": words.test_rows(call_figures.tests_against_quality(seen.asked), seen.privacy),
        "table": None if seen.privacy.hides_rows else _table(seen),
        "meanings": words.MEANINGS,
    }
    return render(request, "reports/quality.html", context)


def _table(seen: Scene) -> words.CallTable:
    start = (seen.address.page - 1) * PAGE
    return words.CallTable(
        records=list(call_figures.listed(seen.asked)[start : start + PAGE]),
        address=seen.address,
        reader=seen.reader,
        count=call_figures.records_of(seen.asked).count(),
    )
