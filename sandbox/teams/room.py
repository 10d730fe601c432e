"""What happens in a meeting: people arrive, are admitted, leave; the call starts and ends.

Every change runs alone (one process, one lock) up to and including its commit, so notifications are queued
in the order in which things happened.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from sandbox import ledger
from sandbox.graph.events import CallEvent, Kind, RosterChange
from sandbox.graph.notify import publish, publish_record
from sandbox.models import Attendant, Call, Meeting
from sandbox.teams import rules

_one_at_a_time = threading.RLock()


class RoomRefused(Exception):
    """The act is not possible now, or not for this person."""


@dataclass(frozen=True)
class Visitor:
    """Somebody at the door; ``oid`` is empty without an account of the tenant."""

    name: str
    oid: str = ""


def arrive(meeting: Meeting, *, visitor: Visitor, now: datetime) -> Attendant:
    """Let ``visitor`` into the call or the lobby, as the meeting's options say.

    A person of the tenant who is there already is not doubled.
    """
    with _changing(meeting) as locked:
        present = _present(locked, visitor)
        if present is not None:
            return present
        role = rules.role_of(locked, oid=visitor.oid)
        is_waiting = not rules.bypasses_lobby(locked, oid=visitor.oid, role=role)
        attendant = Attendant.objects.create(
            meeting=locked,
            role=role,
            oid=visitor.oid,
            name=visitor.name,
            state=Attendant.State.LOBBY if is_waiting else Attendant.State.IN_CALL,
            arrived_at=now,
        )
        if is_waiting:
            _note("lobby_entered", attendant)
            _tell_roster(locked, [attendant], now=now)
        else:
            _enter(attendant, now=now)
        return attendant


def admit(attendant: Attendant, *, now: datetime, by: Attendant | None = None) -> None:
    """Let somebody in from the lobby.

    :param by: who does it; None means the control interface, which may do anything.
    :raises RoomRefused: not in the lobby, or ``by`` may not admit.
    """
    with _changing(attendant.meeting) as locked:
        attendant.refresh_from_db()
        if attendant.state != Attendant.State.LOBBY:
            raise RoomRefused(f"{attendant.name} is not in the lobby.")
        if by is not None and not _may_admit(locked, by):
            raise RoomRefused(f"{by.name} may not admit people.")
        _note("admitted", attendant)
        _enter(attendant, now=now)


def leave(attendant: Attendant, *, now: datetime) -> None:
    """Let somebody go, out of the lobby or the call; the last one out ends the call. Twice is once."""
    with _changing(attendant.meeting) as locked:
        attendant.refresh_from_db()
        if attendant.state == Attendant.State.LEFT:
            return
        _go([attendant], now=now)
        _tell_roster(locked, [attendant], now=now)
        _end_empty_call(locked, now=now)


def end(meeting: Meeting, *, now: datetime, by: Attendant | None = None) -> None:
    """End the meeting for everybody, people in the lobby included.

    :raises RoomRefused: only the organizer, or whoever presents, ends a meeting.
    """
    with _changing(meeting) as locked:
        if by is not None:
            by.refresh_from_db()
            if not _may_end(locked, by):
                raise RoomRefused(f"{by.name} may not end the meeting.")
        present = list(locked.attendants.exclude(state=Attendant.State.LEFT))
        if present:
            _go(present, now=now)
            _tell_roster(locked, present, now=now)
        _end_empty_call(locked, now=now)


def open_call(meeting: Meeting) -> Call | None:
    """Return the call that is going on, if one is."""
    return meeting.calls.filter(ended_at__isnull=True).first()


@contextmanager
def _changing(meeting: Meeting) -> Iterator[Meeting]:
    with _one_at_a_time, transaction.atomic():
        yield Meeting.objects.select_for_update().get(pk=meeting.pk)


def _present(meeting: Meeting, visitor: Visitor) -> Attendant | None:
    if not visitor.oid:
        return None
    return meeting.attendants.filter(oid=visitor.oid).exclude(state=Attendant.State.LEFT).first()


def _enter(attendant: Attendant, *, now: datetime) -> None:
    meeting = attendant.meeting
    call = open_call(meeting)
    if call is None:
        call = Call.objects.create(meeting=meeting, started_at=now)
        _tell(meeting, CallEvent(Kind.STARTED, now))
    attendant.call = call
    attendant.state = Attendant.State.IN_CALL
    attendant.joined_at = now
    attendant.save()
    _note("joined", attendant)
    _tell_roster(meeting, [attendant], now=now)


def _go(attendants: list[Attendant], *, now: datetime) -> None:
    for attendant in attendants:
        attendant.state = Attendant.State.LEFT
        attendant.left_at = now
        attendant.save()
        _note("left", attendant)


def _end_empty_call(meeting: Meeting, *, now: datetime) -> None:
    call = open_call(meeting)
    if call is None or call.attendants.filter(state=Attendant.State.IN_CALL).exists():
        return
    call.ended_at = now
    call.save()
    ledger.record("teams", "ended", key=meeting.graph_id, call_id=str(call.id))
    _tell(meeting, CallEvent(Kind.ENDED, now))
    transaction.on_commit(partial(publish_record, call))


def _may_admit(meeting: Meeting, by: Attendant) -> bool:
    by.refresh_from_db()
    return by.state == Attendant.State.IN_CALL and rules.may_admit(meeting, oid=by.oid, role=Attendant.Role(by.role))


def _may_end(meeting: Meeting, by: Attendant) -> bool:
    return by.state == Attendant.State.IN_CALL and rules.presents(meeting, oid=by.oid, role=Attendant.Role(by.role))


def _tell_roster(meeting: Meeting, attendants: list[Attendant], *, now: datetime) -> None:
    changes = tuple(_change(attendant, meeting) for attendant in attendants)
    _tell(meeting, CallEvent(Kind.ROSTER, now, changes))


def _change(attendant: Attendant, meeting: Meeting) -> RosterChange:
    return RosterChange(
        participant_id=str(attendant.id),
        name=attendant.name,
        oid=attendant.oid,
        tenant_id=meeting.tenant_id if attendant.oid else "",
        is_in_lobby=attendant.state == Attendant.State.LOBBY,
        is_gone=attendant.state == Attendant.State.LEFT,
    )


def _tell(meeting: Meeting, event: CallEvent) -> None:
    transaction.on_commit(partial(publish, meeting, event))


def _note(kind: str, attendant: Attendant) -> None:
    ledger.record("teams", kind, key=attendant.meeting.graph_id, participant=str(attendant.id), role=attendant.role)
