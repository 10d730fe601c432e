"""Take in what Graph says about who is where, and tell it on, each change once.

The truth is the set of observations; :mod:`meetings.services.timeline` derives the history. The events that
we told are then brought in line with it: times are corrected in place, new changes are appended and
announced, and a change that late news disproves is marked as superseded. Whatever the order of delivery, the
events that stand are those of a delivery once and in order.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Min, Q

from meetings import signals
from meetings.models import Meeting, Observation, Participant, PresenceEvent
from meetings.models.people import Source
from meetings.providers.base import CallEvent, CallEventKind
from meetings.services.participants import connection_of
from meetings.services.timeline import History, Sighting, Transition, history_of

Kind = PresenceEvent.Kind
CALL = (Kind.CONNECTED, Kind.DISCONNECTED)
LOBBY = (Kind.LOBBY_ENTERED, Kind.LEFT_LOBBY)


@transaction.atomic
def record(meeting: Meeting, event: CallEvent, *, now: datetime, source: Source = Source.GRAPH) -> list[PresenceEvent]:
    """Take in one event of ``meeting`` and return the presence events it brought, in order.

    Meetings are taken one at a time (row lock), so that concurrent deliveries do not cross.
    """
    locked = Meeting.objects.select_for_update(of=("self",)).select_related("organization").get(pk=meeting.pk)
    touched = _observe(locked, event, source=source, now=now)
    told: list[PresenceEvent] = []
    for participant in touched:
        told += bring_up_to_date(participant, locked, source=source, now=now)
    update_meeting(locked, now=now)
    return told


def _observe(meeting: Meeting, event: CallEvent, *, source: Source, now: datetime) -> list[Participant]:
    """Store what ``event`` says, and return the participants whose history it may change."""
    if event.kind is CallEventKind.STARTED:
        meeting.started_at = min(meeting.started_at or event.at, event.at)
        return []
    if event.kind is CallEventKind.ENDED:
        meeting.call_ends = sorted({*meeting.call_ends, event.at})
        return list(meeting.participants.all())
    touched: dict[object, Participant] = {}
    for change in event.changes:
        connection = connection_of(meeting, change, at=event.at, now=now)
        Observation.objects.get_or_create(
            connection=connection, at=event.at, kind=change.whereabouts.value, defaults={"source": source}
        )
        if connection.participant is not None:
            touched[connection.participant_id] = connection.participant
    return list(touched.values())


def bring_up_to_date(
    participant: Participant, meeting: Meeting, *, source: Source, now: datetime
) -> list[PresenceEvent]:
    """Bring the events we told in line with the history of ``participant``."""
    history = history_so_far(participant, meeting)
    events = list(participant.presence_events.order_by("sequence"))
    missing = [*_correct(events, history, LOBBY), *_correct(events, history, CALL)]
    ordered = sorted(missing, key=history.transitions.index)
    rows = [
        _new_event(participant, transition, sequence=number, source=source, now=now)
        for number, transition in enumerate(ordered, start=len(events) + 1)
    ]
    rows += _correction(participant, [*events, *rows], history, source=source, now=now)
    if history.state_at is not None:
        participant.state, participant.state_at = history.state, history.state_at
        participant.save(update_fields=["state", "state_at"])
    for row in rows:
        signals.presence_changed.send(sender=PresenceEvent, participant=participant, event=row, now=now)
    return rows


def history_so_far(participant: Participant, meeting: Meeting) -> History:
    """Return what everything that was seen of ``participant`` tells together."""
    seen = Observation.objects.filter(connection__participant=participant).values_list("connection_id", "kind", "at")
    sightings = [Sighting(device=device, kind=kind, at=at) for device, kind, at in seen]
    return history_of(sightings, call_ends=meeting.call_ends)


def _correct(events: list[PresenceEvent], history: History, kinds: Sequence[str]) -> list[Transition]:
    """Correct the standing events of one track, and return the transitions that have none yet."""
    standing = [event for event in events if event.kind in kinds and not event.is_superseded]
    derived = history.track(kinds)
    same = 0
    for event, transition in zip(standing, derived, strict=False):
        if event.kind != transition.kind:
            break
        same += 1
        if event.at != transition.at:
            event.at = transition.at
            event.save(update_fields=["at"])
    for event in standing[same:]:
        event.is_superseded = True
        event.save(update_fields=["is_superseded"])
    return derived[same:]


def _correction(
    participant: Participant, events: list[PresenceEvent], history: History, *, source: Source, now: datetime
) -> list[PresenceEvent]:
    """Return one more event when what we told last about the call is no longer so; it only sets that right."""
    told = [event.kind for event in events if event.kind in CALL]
    is_connected = history.state == Participant.State.CONNECTED
    if bool(told and told[-1] == Kind.CONNECTED) == is_connected:
        return []
    kind = Kind.CONNECTED if is_connected else Kind.DISCONNECTED
    transition = Transition(kind=kind, at=history.state_at or now)
    row = _new_event(participant, transition, sequence=len(events) + 1, source=source, now=now, is_superseded=True)
    return [row]


def _new_event(
    participant: Participant,
    transition: Transition,
    *,
    sequence: int,
    source: Source,
    now: datetime,
    is_superseded: bool = False,
) -> PresenceEvent:
    return PresenceEvent.objects.create(
        participant=participant,
        kind=transition.kind,
        sequence=sequence,
        at=transition.at,
        source=source,
        is_superseded=is_superseded,
        created_at=now,
    )


def update_meeting(meeting: Meeting, *, now: datetime) -> None:
    """Derive when the meeting started and whether it has ended; people may come back to an ended one."""
    seen = Observation.objects.filter(connection__meeting=meeting).aggregate(
        first_in=Min("at", filter=Q(kind=Observation.Kind.IN_CALL)),
        last_out=Max("at", filter=Q(kind=Observation.Kind.GONE)),
    )
    meeting.started_at = min(filter(None, (seen["first_in"], meeting.started_at)), default=None)
    there = (Participant.State.CONNECTED, Participant.State.WAITING)
    is_empty = not meeting.participants.filter(state__in=there).exists()
    was_ended = meeting.state == Meeting.State.ENDED
    ends = [*meeting.call_ends, *filter(None, [seen["last_out"]])] if meeting.call_ends and is_empty else []
    meeting.ended_at = max(ends, default=None)
    if meeting.is_joinable:
        meeting.state = Meeting.State.ENDED if meeting.ended_at else Meeting.State.READY
    meeting.save(update_fields=["started_at", "ended_at", "state", "call_ends"])
    if meeting.state == Meeting.State.ENDED and not was_ended:
        signals.meeting_ended.send(sender=Meeting, meeting=meeting, now=now)
