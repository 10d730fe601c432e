"""The Call quality tab."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from reports.models import CallRecord
from reports.presenters import quality as words
from reports.presenters.calls import CALL_ROWS, USUAL
from reports.services import call_figures, call_quality
from reports.services.sorting import page
from reports.views.scene import READERS, scene


@portal_page(*READERS)
@require_safe
def quality(request: PortalRequest) -> HttpResponse:
    """Show how picture and sound were, why they were poor, and what device tests foretold."""
    seen = scene(request, statuses=words.status_choices())
    by = seen.address.get("by")
    group = by if by in call_figures.GROUPS else "platform"
    found = call_figures.quality(seen.asked, group)

    def rows(sort: str, number: int) -> Iterable[CallRecord]:
        return page(call_figures.sorted_calls(seen.asked, sort), number)

    table = seen.table(CALL_ROWS, rows, usual=USUAL, count=found.calls)
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
        "group_rows": words.group_rows(found.groups, seen.privacy),
        "reasons": words.reason_rows(found.due_to, seen.privacy),
        "tests": words.test_rows(found.tests, seen.privacy),
        "table": table,
        "meanings": table.not_said(words.MEANINGS) if table else words.MEANINGS,
    }
    return render(request, "reports/quality.html", context)
