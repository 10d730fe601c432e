"""What meetings do when a visit changes, and what watching pages are told when a meeting does."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from core.jobs import enqueue_after_commit
from meetings import signals, tasks
from meetings.models import Meeting, Participant
from meetings.services import live, meetings, reconciling, subscriptions
from visits.models import Visit
from visits.signals import visit_ended, visit_moved


@receiver(visit_ended, dispatch_uid="meetings.cancel")
def cancel(visit: Visit, now: datetime, **_: Any) -> None:
    """Close the meeting of a visit that does not take place."""
    meetings.cancel_meeting(visit, now=now)
    _follow_up(visit)


@receiver(visit_moved, dispatch_uid="meetings.follow")
def follow(visit: Visit, now: datetime, **_: Any) -> None:
    """Move the meeting of a visit that has another time."""
    meetings.follow_visit(visit, now=now)
    for meeting in Meeting.objects.select_related("visit").filter(visit=visit, ended_at=None):
        reconciling.expect_silence(meeting)
    _follow_up(visit)


@receiver(signals.meeting_wanted, dispatch_uid="meetings.wanted")
def wanted(meeting: Meeting, **_: Any) -> None:
    """Make it at once."""
    enqueue_after_commit(tasks.synchronize, str(meeting.pk))


@receiver(signals.meeting_created, dispatch_uid="meetings.created")
def created(meeting: Meeting, **_: Any) -> None:
    """Tell watching pages; whoever had the meeting made subscribes to it."""
    live.announce(meeting.visit_id)


@receiver(signals.meeting_ended, dispatch_uid="meetings.ended")
def ended(meeting: Meeting, now: datetime, **_: Any) -> None:
    """Tell watching pages, and check with Teams later whether we heard everything."""
    reconciling.expect_reports(meeting, now=now)
    live.announce(meeting.visit_id)


@receiver(signals.people_expected, dispatch_uid="meetings.expected")
def expected(participant: Participant, now: datetime, **_: Any) -> None:
    """Tell watching pages, and make sure that somebody listens when the person arrives."""
    subscription = subscriptions.ensure_subscription(participant.meeting, now=now)
    if not subscription.is_live(now=now):
        subscriptions.look_again(participant.meeting, now=now)
        enqueue_after_commit(tasks.subscribe, str(subscription.pk))
    live.announce(participant.meeting.visit_id)


@receiver(signals.presence_changed, dispatch_uid="meetings.presence")
def presence_changed(participant: Participant, **_: Any) -> None:
    """Tell watching pages."""
    live.announce(participant.meeting.visit_id)


def _follow_up(visit: Visit) -> None:
    meeting = Meeting.objects.filter(visit=visit).first()
    if meeting is not None:
        enqueue_after_commit(tasks.synchronize, str(meeting.pk))
    live.announce(visit.pk)
