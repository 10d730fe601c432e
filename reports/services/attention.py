"""Where a visit stands on today's board, and whether a person should look at it."""

from datetime import datetime, timedelta
from enum import StrEnum

from reports.services.board import VisitRow

# After this long in the lobby somebody should look, whoever else is there.
LONG_WAIT = timedelta(minutes=10)


class Stage(StrEnum):
    """Where a visit stands."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    IN_VISIT = "in_visit"
    DONE = "done"


def stage_of(row: VisitRow) -> Stage:
    """Return where the visit of ``row`` stands; a cancelled one is done."""
    attendance = row.attendance
    if attendance.waiting_since is not None:
        return Stage.WAITING
    if attendance.present_now:
        return Stage.IN_VISIT
    if not row.visit.is_scheduled or attendance.has_patient or attendance.has_provider:
        return Stage.DONE
    return Stage.SCHEDULED


def attention_of(row: VisitRow, *, now: datetime) -> list[str]:
    """Return why a person should look: ``waiting``, ``text``, ``refused``, ``held``, ``meeting``."""
    since = row.attendance.waiting_since
    is_ahead = row.visit.starts_at is not None and row.visit.starts_at > now
    reasons = {
        "waiting": since is not None and now - since >= LONG_WAIT,
        "text": is_ahead and row.visit.is_scheduled and row.texts_failed > row.texts_delivered,
        "refused": row.epic_stopped > 0,
        "held": row.epic_held > 0,
        "meeting": bool(row.meeting_error) and row.visit.is_scheduled,
    }
    return [reason for reason, holds in reasons.items() if holds]
