"""What should happen next in a visit, as the last line of its timeline."""

from datetime import datetime, timedelta

from reports.services.board import VisitRow
from reports.services.timeline import Moment

# A visit whose planned end is this long ago is over, whoever came.
OVER_AFTER = timedelta(hours=2)


def expected(row: VisitRow, *, now: datetime) -> list[Moment]:
    """Return the one thing that comes next, or nothing when the visit is over."""
    title = _next(row, now=now)
    return [Moment(at=None, title=title, tone="next")] if title else []


def _next(row: VisitRow, *, now: datetime) -> str:
    visit, attendance = row.visit, row.attendance
    is_over = visit.ends_at is not None and now > visit.ends_at + OVER_AFTER
    if not visit.is_scheduled:
        return ""
    if attendance.waiting_since is not None:
        return "Provider admits the patient" if attendance.present_now else "Provider joins from Epic"
    if attendance.present_now and not attendance.has_patient:
        return "Patient joins"
    if attendance.present_now:
        return "They leave, and Epic is told"
    if attendance.has_patient or attendance.has_provider:
        return "Epic is told the rest" if row.epic_on_the_way else ""
    return "" if is_over else "Patient and provider join"
