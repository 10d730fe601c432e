"""Read the attendance reports of meetings that ended, until they agree with what we heard."""

from datetime import datetime, timedelta

from django.conf import settings

from core.errors import ConnectorError
from core.models import backoff
from meetings.models import Meeting
from meetings.services import attendance, subscriptions
from meetings.services.leases import settle
from meetings.services.suppliers import provider_of

WORK = "reconcile"
# Teams writes a report some minutes after a call; nobody knows how many.
REPORTS_AFTER = timedelta(minutes=2)
LOOK_EVERY = timedelta(minutes=10)
LONGEST_BACKOFF = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)


def expect_reports(meeting: Meeting, *, now: datetime) -> None:
    """Let the reports of ``meeting``, which has just ended, be read in a while."""
    _schedule(meeting, due_at=now + REPORTS_AFTER)


def expect_silence(meeting: Meeting) -> None:
    """Let the reports be read once the visit is long over, in case that its events never reached us."""
    _schedule(meeting, due_at=silent_until(meeting))


def silent_until(meeting: Meeting) -> datetime:
    """Return when to read the reports of ``meeting`` if nothing is heard of it.

    Without live events the reports are all there is, and read as soon as the visit's time has passed.
    """
    ends_at = meeting.visit.ends_at
    if settings.GRAPH_MEETING_EVENTS or ends_at is None:
        return subscriptions.over_at(meeting)
    return ends_at + REPORTS_AFTER


def reconcile(meeting: Meeting, *, now: datetime) -> None:
    """Read the reports of a claimed ``meeting`` and correct our history; failures are tried again for a day."""
    if not meeting.graph_id:  # deleted with its visit; there is nothing to read
        settle(meeting, WORK, reconcile_due_at=None)
        return
    try:
        reports = provider_of(meeting).attendance_reports(
            meeting.graph_id, organizer_object_id=str(meeting.organizer_object_id)
        )
        attendance.reconcile(meeting, reports, now=now)
    except ConnectorError as error:
        _again(meeting, error_code=error.code, after=getattr(error, "retry_after", None), now=now)
        return
    if attendance.is_complete(Meeting.objects.get(pk=meeting.pk), reports):
        settle(meeting, WORK, reconcile_due_at=_next(meeting, now=now), reconciled_at=now, reconcile_error="")
    else:
        _again(meeting, error_code="graph.no_attendance_report", after=None, now=now)


def _schedule(meeting: Meeting, *, due_at: datetime) -> None:
    Meeting.objects.filter(pk=meeting.pk).update(reconcile_due_at=due_at, reconcile_attempts=0)


def _next(meeting: Meeting, *, now: datetime) -> datetime | None:
    """Return when to look once more: people may come back until the visit is over."""
    over = subscriptions.over_at(meeting)
    if over <= now:
        return None
    return over if settings.GRAPH_MEETING_EVENTS else min(over, now + LOOK_EVERY)


def _again(meeting: Meeting, *, error_code: str, after: float | None, now: datetime) -> None:
    wait = timedelta(seconds=after) if after else backoff(meeting.reconcile_attempts, most=LONGEST_BACKOFF)
    is_hopeless = now + wait > subscriptions.over_at(meeting) + GIVE_UP_AFTER
    settle(meeting, WORK, reconcile_due_at=None if is_hopeless else now + wait, reconcile_error=error_code)
