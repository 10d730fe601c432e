"""What Epic was told, held against what happened: a page and a file."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core import spreadsheet
from reports.presenters.address import Address
from reports.presenters.differences import COLUMNS, DifferenceRow
from reports.presenters.report import tabs_of
from reports.services import told

RANGES = (2, 7, 30)


@portal_page(Role.ADMIN, Role.SUPPORT, Role.REPORT_READER)
@require_safe
def differences(request: PortalRequest) -> HttpResponse:
    """Show every difference of the visits that ended in the period."""
    days = _days(request)
    rows, compared = _rows(request, days)
    context = {
        "rows": rows,
        "tabs": tabs_of(Address(request.path, {}), "differences"),
        "ranges": [(f"{count} days", f"?days={count}", count == days) for count in RANGES],
        "lead": f"{compared} visits compared with presence and attendance reports, {len(rows)} differences",
        "csv_url": f"differences.csv?days={days}",
    }
    return render(request, "reports/differences.html", context)


@portal_page(Role.ADMIN, Role.SUPPORT, Role.REPORT_READER)
@require_safe
def export(request: PortalRequest) -> HttpResponse:
    """Answer the same as CSV."""
    rows, _ = _rows(request, _days(request))
    lines = spreadsheet.csv_lines(COLUMNS, (row.cells for row in rows))
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="epic-differences.csv"'
    return response


def _days(request: PortalRequest) -> int:
    chosen = request.GET.get("days", "")
    return int(chosen) if chosen in {str(count) for count in RANGES} else RANGES[0]


def _rows(request: PortalRequest, days: int) -> tuple[list[DifferenceRow], int]:
    now = timezone.now()
    found, compared = told.differences(request.organization, since=now - timedelta(days=days), until=now, now=now)
    return [DifferenceRow(one) for one in found], compared
