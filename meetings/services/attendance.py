"""Bring our history of a meeting in line with what Teams counted afterwards.

Notifications can be lost and Graph does not say so. The attendance reports know every stay in the call, though
nothing of the lobby. What they add or take away enters as observations like any other, marked with its source,
so that history, events and write-backs follow by themselves.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from meetings.models import Connection, Meeting, Observation, Participant, PresenceEvent
from meetings.models.people import Source
from meetings.providers.base import AttendanceRecord, AttendanceReport
from meetings.services import intervals, participants, presence
from meetings.services.intervals import Interval
from meetings.services.timeline import History

Kind = Observation.Kind
Told = PresenceEvent.Kind

# Both sides write down when they noticed, not when it happened.
TOLERANCE = timedelta(seconds=45)


@dataclass(frozen=True, kw_only=True)
class _Match:
    """Which participant a record is about, and when it says they were in the call."""

    participant: Participant
    record: AttendanceRecord
    stays: list[Interval]


@transaction.atomic
def reconcile(meeting: Meeting, reports: Sequence[AttendanceReport], *, now: datetime) -> list[PresenceEvent]:
    """Correct the history of ``meeting`` by ``reports`` and return the presence events that brought, in order.

    Doing it again with the same reports changes nothing. People whom no report names stay as they are.
    """
    locked = Meeting.objects.select_for_update(of=("self",)).select_related("organization").get(pk=meeting.pk)
    _take_over_ends(locked, reports)
    for report in reports:
        for match in _matches(locked, report, now=now):
            _correct(locked, match, report, now=now)
    told: list[PresenceEvent] = []
    for participant in locked.participants.all():
        told += presence.bring_up_to_date(participant, locked, source=Source.ATTENDANCE, now=now)
    presence.update_meeting(locked, now=now)
    return told


def is_complete(meeting: Meeting, reports: Iterable[AttendanceReport]) -> bool:
    """Whether there is a report of every call that we know has ended."""
    ends = [report.ended_at for report in reports]
    return all(any(abs(known - end) <= TOLERANCE for end in ends) for known in meeting.call_ends)


def _take_over_ends(meeting: Meeting, reports: Iterable[AttendanceReport]) -> None:
    """Learn of calls whose end nobody told us."""
    for report in reports:
        if not any(abs(known - report.ended_at) <= TOLERANCE for known in meeting.call_ends):
            meeting.call_ends = sorted({*meeting.call_ends, report.ended_at})
        meeting.started_at = min(meeting.started_at or report.started_at, report.started_at)


def _matches(meeting: Meeting, report: AttendanceReport, *, now: datetime) -> list[_Match]:
    """Return whom the records of ``report`` are about: by account, by an earlier match, else by the times."""
    found: list[_Match] = []
    open_records: list[AttendanceRecord] = []
    for record in report.records:
        participant = _known(meeting, report, record, now=now)
        if participant is None:
            open_records.append(record)
        else:
            found.append(_match(participant, record))
    taken = {match.participant.pk for match in found}
    found += _by_times(meeting, report, open_records, taken=taken, now=now)
    return [match for match in found if match.stays]


def _known(
    meeting: Meeting, report: AttendanceReport, record: AttendanceRecord, *, now: datetime
) -> Participant | None:
    if record.identity.is_member_of(str(meeting.tenant_id)):
        at = min((stay.joined_at for stay in record.stays), default=report.started_at)
        return participants.member(meeting, record.identity, at=at, now=now)
    before = meeting.connections.filter(graph_id=_device_of(report, record)).select_related("participant").first()
    return before.participant if before else participants.outsider(meeting, record.identity)


def _by_times(
    meeting: Meeting,
    report: AttendanceReport,
    records: list[AttendanceRecord],
    *,
    taken: set[uuid.UUID],
    now: datetime,
) -> list[_Match]:
    """Match people without an account by when they were there: the two that share the most time first."""
    call = [Interval(report.started_at, report.ended_at)]
    outsiders = meeting.participants.exclude(role=Participant.Role.PROVIDER).exclude(pk__in=taken)
    there = {
        person: intervals.within(_there(presence.history_so_far(person, meeting), until=report.ended_at), call)
        for person in outsiders
    }
    pairs = sorted(
        (
            (intervals.length(intervals.within(_stays(record), seen)), person, record)
            for person, seen in there.items()
            for record in records
        ),
        key=lambda pair: pair[0],
        reverse=True,
    )
    found: dict[str, Participant] = {}
    for shared, person, record in pairs:
        if shared > timedelta(0) and record.id not in found and person not in found.values():
            found[record.id] = person
    return [
        _match(found.get(record.id) or _unseen(meeting, record, found.values(), now=now), record) for record in records
    ]


def _unseen(
    meeting: Meeting, record: AttendanceRecord, matched: Iterable[Participant], *, now: datetime
) -> Participant:
    """Return whom a record is about of whom we saw nothing: somebody who was sent in, else somebody new."""
    at = min((stay.joined_at for stay in record.stays), default=now)
    return participants.next_outsider(meeting, at=at, exclude=[person.pk for person in matched], now=now)


def _match(participant: Participant, record: AttendanceRecord) -> _Match:
    return _Match(participant=participant, record=record, stays=_stays(record))


def _stays(record: AttendanceRecord) -> list[Interval]:
    return intervals.union(Interval(stay.joined_at, stay.left_at) for stay in record.stays)


def _correct(meeting: Meeting, match: _Match, report: AttendanceReport, *, now: datetime) -> None:
    """Add what the record says beyond what we know, and end what it says was not."""
    call = [Interval(report.started_at, report.ended_at)]
    known = intervals.within(_in_call(presence.history_so_far(match.participant, meeting), until=report.ended_at), call)
    lonely = intervals.lonely(match.stays, known, tolerance=TOLERANCE)
    for part in intervals.union([*lonely, *intervals.missing(match.stays, known, tolerance=TOLERANCE)]):
        device = _in_lobby(match.participant, part.start) or _attendance_device(meeting, match, report, now=now)
        _observe(device, Kind.IN_CALL, part.start)
        _observe(device, Kind.GONE, part.end)
    for part in intervals.missing(known, match.stays, tolerance=TOLERANCE):
        for device in match.participant.connections.all():
            _cut(device, part, until=report.ended_at)


def _in_call(history: History, *, until: datetime) -> list[Interval]:
    """Return when a participant was in the call as far as we know; not gone yet means ``until`` then."""
    return _stretches(history, begins={Told.CONNECTED}, ends={Told.DISCONNECTED}, until=until)


def _there(history: History, *, until: datetime) -> list[Interval]:
    """Return when a participant was in the lobby or the call."""
    begins, ends = {Told.LOBBY_ENTERED, Told.CONNECTED}, {Told.LEFT_LOBBY, Told.DISCONNECTED}
    return _stretches(history, begins=begins, ends=ends, until=until)


def _stretches(history: History, *, begins: set[Told], ends: set[Told], until: datetime) -> list[Interval]:
    stretches: list[Interval] = []
    begun: datetime | None = None
    for transition in history.transitions:
        if transition.kind in begins:
            begun = begun or transition.at
        elif transition.kind in ends and begun is not None:
            stretches.append(Interval(begun, transition.at))
            begun = None
    return [*stretches, Interval(begun, until)] if begun is not None else stretches


def _in_lobby(participant: Participant, moment: datetime) -> Connection | None:
    """Return the device that we last saw in the lobby at ``moment``: it is the one that was admitted."""
    for device in participant.connections.all():
        last = device.observations.filter(at__lte=moment).order_by("at").last()
        if last is not None and last.kind == Kind.LOBBY:
            return device
    return None


def _cut(device: Connection, part: Interval, *, until: datetime) -> None:
    """Take ``device`` out of the call for ``part`` of a call that lasted ``until`` then."""
    seen = list(device.observations.order_by("at").values_list("kind", "at"))
    before = [kind for kind, at in seen if at <= part.start]
    if not before or before[-1] != Kind.IN_CALL:
        return
    _observe(device, Kind.GONE, part.start)
    next_at = min((at for _, at in seen if at > part.start), default=None)
    if part.end < until and (next_at is None or next_at > part.end):
        _observe(device, Kind.IN_CALL, part.end)


def _attendance_device(meeting: Meeting, match: _Match, report: AttendanceReport, *, now: datetime) -> Connection:
    """Return the connection that stands for what only the report knows of a person."""
    device, _ = Connection.objects.get_or_create(
        meeting=meeting,
        graph_id=_device_of(report, match.record),
        defaults={"participant": match.participant, "created_at": now},
    )
    return device


def _device_of(report: AttendanceReport, record: AttendanceRecord) -> str:
    return f"attendance:{report.id}:{record.id}"[:200]


def _observe(device: Connection, kind: Kind, at: datetime) -> None:
    Observation.objects.get_or_create(connection=device, kind=kind, at=at, defaults={"source": Source.ATTENDANCE})
