"""Bring meetings in Teams in line with our books: creation, other times, deletion, a better link for patients."""

from datetime import datetime, timedelta

from django.db import transaction

from core.errors import ConnectorError, LaunchRefused, UpstreamRejected
from core.models import backoff
from meetings.models import Meeting
from meetings.providers.base import MeetingProvider, OnlineMeeting
from meetings.services import live, subscriptions
from meetings.services.leases import settle
from meetings.services.meetings import ensure_meeting, start_new_generation
from meetings.services.single_flight import one_at_a_time
from meetings.services.suppliers import provider_of

WORK = "sync"
LONGEST_BACKOFF = timedelta(hours=1)
_NOT_FOUND = 404


def bring_in_line(meeting: Meeting, *, now: datetime) -> None:
    """Make Teams say what our books say about a claimed ``meeting``; failures are tried again later."""
    try:
        _act(meeting, now=now)
    except ConnectorError as error:
        seconds = getattr(error, "retry_after", None)
        wait = timedelta(seconds=seconds) if seconds else backoff(meeting.sync_attempts, most=LONGEST_BACKOFF)
        settle(meeting, WORK, sync_due_at=now + wait, error_code=error.code)
        live.announce(meeting.visit_id)
    else:
        settle(meeting, WORK, sync_due_at=None, sync_attempts=0, error_code="")


def _act(meeting: Meeting, *, now: datetime) -> None:
    if not meeting.graph_id:
        _create(meeting, now=now)
        return
    provider = provider_of(meeting)
    organizer = str(meeting.organizer_object_id)
    if meeting.state == Meeting.State.CANCELLED:
        provider.delete_meeting(meeting.graph_id, organizer_object_id=organizer)
        _forget(meeting, now=now)
        return
    try:
        _reschedule(meeting, provider)
    except UpstreamRejected as error:
        if error.status != _NOT_FOUND:
            raise
        _forget(meeting, now=now)  # somebody deleted it in Teams
        return
    if meeting.patient_link_is_fallback:
        _improve_link(meeting, provider)


def _create(meeting: Meeting, *, now: datetime) -> None:
    """Make a meeting that is entered in our books; one that was cancelled before it was made stays unmade."""
    if meeting.state != Meeting.State.CREATING:
        return
    with one_at_a_time(meeting.pk):  # who joins meanwhile waits, and then finds the meeting listened to as well
        try:
            made = ensure_meeting(meeting.visit, now=now)
        except LaunchRefused:
            return
        subscriptions.look(made, now=now)


def _reschedule(meeting: Meeting, provider: MeetingProvider) -> None:
    visit = meeting.visit
    if visit.starts_at is not None and visit.ends_at is not None:
        organizer = str(meeting.organizer_object_id)
        provider.reschedule(
            meeting.graph_id, organizer_object_id=organizer, starts_at=visit.starts_at, ends_at=visit.ends_at
        )


def _improve_link(meeting: Meeting, provider: MeetingProvider) -> None:
    online = OnlineMeeting(id=meeting.graph_id, join_web_url=meeting.join_web_url)
    link = provider.patient_link(online, organizer_object_id=str(meeting.organizer_object_id))
    if not link.is_fallback:
        meeting.patient_join_url, meeting.patient_link_is_fallback = link.url, False
        meeting.save(update_fields=["patient_join_url", "patient_link_is_fallback"])


@transaction.atomic
def _forget(meeting: Meeting, *, now: datetime) -> None:
    """Note that the meeting is gone from Teams; if the visit takes place, the next join makes another."""
    locked = Meeting.objects.select_for_update(of=("self",)).select_related("visit").get(pk=meeting.pk)
    if locked.graph_id != meeting.graph_id:
        return
    locked.graph_id = locked.join_web_url = locked.patient_join_url = None
    if locked.state != Meeting.State.CANCELLED:
        locked.state = Meeting.State.CREATING
        start_new_generation(locked)
    locked.save()
    subscriptions.look_again(locked, now=now)
