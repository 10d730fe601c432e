"""The usage report: one row for each visit that took place or should have."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from reports.presenters.visit import MEANINGS, VisitPresenter
from reports.presenters.words import clock
from reports.services import board

RANGES = (7, 30, 90)
MOST_ROWS = 200


@portal_page(Role.ADMIN, Role.SUPPORT, Role.REPORT_READER)
@require_safe
def usage(request: PortalRequest) -> HttpResponse:
    """Show the virtual appointments of the last 7, 30 or 90 days, newest first."""
    now = timezone.now()
    chosen = request.GET.get("days", "")
    days = int(chosen) if chosen in {str(count) for count in RANGES} else RANGES[0]
    rows = board.visits_between(request.organization, now - timedelta(days=days), now + timedelta(hours=12))
    shown = [VisitPresenter(row, now) for row in reversed(rows)][:MOST_ROWS]
    ranges = [(f"{count} days", f"?days={count}", count == days) for count in RANGES]
    context = {
        "rows": shown,
        "ranges": ranges,
        "lead": f"{len(rows)} visits in the last {days} days · as of {clock(now, request.organization.time_zone)}",
        "meanings": MEANINGS,
    }
    return render(request, "reports/usage.html", context)
