"""What the figures of the reports mean: pure functions from presence to numbers, each with its source.

Microsoft's definitions are those of its *Virtual Appointments usage report*
(learn.microsoft.com, microsoft-365/frontline/virtual-appointments-usage-report, read in February 2023's edition);
ours stand beside them. Times are aware, lengths are whole seconds, cut and not rounded.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# A visit nobody has met in stays open until so long after its planned end: people are late.
GRACE = timedelta(minutes=30)

LOBBY_ENTERED, CONNECTED = "lobby_entered", "connected"


class Status(StrEnum):
    """How a visit went. Each visit has exactly one; :func:`status_of` says which."""

    COMPLETED = "completed"
    PATIENT_NO_SHOW = "patient_no_show"
    PROVIDER_NO_SHOW = "provider_no_show"
    WAITED_ALONE = "waited_alone"
    MISSED = "missed"
    TECHNICAL_FAILURE = "technical_failure"
    NOBODY_JOINED = "nobody_joined"
    CANCELLED = "cancelled"
    IN_PROGRESS = "in_progress"
    SCHEDULED = "scheduled"


# Visits that the reports count: they took place, or should have.
COUNTED = tuple(status for status in Status if status not in {Status.SCHEDULED, Status.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class Change:
    """One person came to the lobby or into the call, or went.

    :ivar kind: a value of ``meetings.models.PresenceEvent.Kind``; any but the two above means gone.
    :ivar person: anything that tells people apart; one person's devices are one.
    """

    kind: str
    at: datetime
    person: object
    is_provider: bool


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """What presence says about one visit.

    :ivar first_at: when anybody was first seen, in the lobby or in the call.
    :ivar started_at: when a provider and somebody else were in the call together for the first time.
    :ivar ended_at: when the last person left; None while somebody is in the lobby or the call.
    :ivar lobby_wait: Microsoft's: from the first arrival in the lobby until anybody is let in from it.
    :ivar waits: ours: of every person let in, from their first arrival in the lobby until they were let in.
    :ivar gave_up: how many people came to the lobby and were never in the call.
    :ivar total: how many different people were in the call (the *Attendants* of Microsoft's EHR report).
    :ivar peak: how many were in it at one time (the *Attendees* of its usage report).
    """

    first_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    lobby_wait: timedelta | None = None
    waits: tuple[timedelta, ...] = ()
    gave_up: int = 0
    waiting_since: datetime | None = None
    total: int = 0
    peak: int = 0
    has_provider: bool = False
    has_patient: bool = False
    has_patient_in_lobby: bool = False
    present_now: int = 0

    @property
    def duration(self) -> timedelta:
        """From the first moment together until the last person left; zero when they never were together."""
        if self.started_at is None or self.ended_at is None:
            return timedelta()
        return self.ended_at - self.started_at

    @property
    def has_met(self) -> bool:
        """Whether a provider and somebody else were in the call together."""
        return self.started_at is not None

    @property
    def is_going_on(self) -> bool:
        """Whether somebody is in the call or in the lobby."""
        return self.present_now > 0 or self.waiting_since is not None

    @property
    def start(self) -> datetime | None:
        """Microsoft's start: both sides in the call, else the first activity; None when nobody came."""
        return self.started_at or self.first_at


@dataclass
class _Count:
    """The running count while changes are read in order of time."""

    in_call: dict[object, bool] = field(default_factory=dict)
    in_lobby: dict[object, datetime] = field(default_factory=dict)
    waiting_from: dict[object, datetime] = field(default_factory=dict)
    waits: dict[object, timedelta] = field(default_factory=dict)
    everybody: dict[object, bool] = field(default_factory=dict)
    sides_in_lobby: set[bool] = field(default_factory=set)
    peak: int = 0
    first_at: datetime | None = None
    started_at: datetime | None = None
    last_left_at: datetime | None = None
    first_admitted_at: datetime | None = None

    def take(self, change: Change) -> None:
        if change.kind == LOBBY_ENTERED:
            self._wait(change)
        elif change.kind == CONNECTED:
            self._connect(change)
        else:
            self.in_lobby.pop(change.person, None)
            if self.in_call.pop(change.person, None) is not None:
                self.last_left_at = change.at

    def _wait(self, change: Change) -> None:
        self.first_at = self.first_at or change.at
        self.in_lobby[change.person] = change.at
        self.waiting_from.setdefault(change.person, change.at)
        self.sides_in_lobby.add(change.is_provider)

    def _connect(self, change: Change) -> None:
        self.first_at = self.first_at or change.at
        if self.in_lobby.pop(change.person, None) is not None:
            self.first_admitted_at = self.first_admitted_at or change.at
            self.waits.setdefault(change.person, change.at - self.waiting_from[change.person])
        self.in_call[change.person] = change.is_provider
        self.everybody[change.person] = change.is_provider
        self.peak = max(self.peak, len(self.in_call))
        if self.started_at is None and set(self.in_call.values()) == {True, False}:
            self.started_at = change.at

    @property
    def lobby_wait(self) -> timedelta | None:
        if self.first_admitted_at is None:
            return None
        return self.first_admitted_at - min(self.waiting_from.values())


def measure(changes: Iterable[Change]) -> Attendance:
    """Return the figures that ``changes``, in order of time, tell of one visit."""
    count = _Count()
    for change in changes:
        count.take(change)
    is_over = not count.in_call and not count.in_lobby
    return Attendance(
        first_at=count.first_at,
        started_at=count.started_at,
        ended_at=count.last_left_at if is_over else None,
        lobby_wait=count.lobby_wait,
        waits=tuple(count.waits.values()),
        gave_up=len((count.waiting_from.keys() - count.everybody.keys()) - count.in_lobby.keys()),
        waiting_since=min(count.in_lobby.values(), default=None),
        total=len(count.everybody),
        peak=count.peak,
        has_provider=True in count.everybody.values(),
        has_patient=False in count.everybody.values(),
        has_patient_in_lobby=False in count.sides_in_lobby,
        present_now=len(count.in_call),
    )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What else is known of a visit: Epic's schedule, and whether a system kept people out.

    :ivar has_error: Epic, Entra, Graph or the connector refused a launch into the visit, or made no meeting.
    """

    ends_at: datetime | None
    is_cancelled: bool = False
    is_no_show: bool = False
    has_error: bool = False

    @property
    def closes_at(self) -> datetime | None:
        """From when on nobody is expected any more; None for a visit without a planned end."""
        return self.ends_at + GRACE if self.ends_at is not None else None


def status_of(attendance: Attendance, planned: Planned, *, now: datetime) -> Status:
    """Return how the visit went.

    The order matters: what really happened comes before what Epic planned, and a failure of a system before
    the question who stayed away.
    """
    if attendance.is_going_on:
        return Status.IN_PROGRESS
    if attendance.has_met:
        return Status.COMPLETED
    if attendance.first_at is None and (said := _said_by_epic(planned)):
        return said
    if planned.closes_at is not None and now < planned.closes_at:
        return Status.SCHEDULED
    return Status.TECHNICAL_FAILURE if planned.has_error else _who_stayed_away(attendance)


def _said_by_epic(planned: Planned) -> Status | None:
    if planned.is_cancelled:
        return Status.CANCELLED
    return Status.PATIENT_NO_SHOW if planned.is_no_show else None


def _who_stayed_away(attendance: Attendance) -> Status:
    came = attendance.has_patient or attendance.has_patient_in_lobby
    if attendance.has_provider:
        return Status.MISSED if came else Status.PATIENT_NO_SHOW
    if attendance.has_patient:
        return Status.PROVIDER_NO_SHOW
    return Status.WAITED_ALONE if came else Status.NOBODY_JOINED


class MicrosoftStatus(StrEnum):
    """What Microsoft's usage report would say; it lists only visits in which somebody was in the call."""

    COMPLETED = "completed"
    NO_SHOW = "no_show"
    NOT_LISTED = ""


def microsoft_status(attendance: Attendance) -> MicrosoftStatus:
    """Return Microsoft's status of an ended visit.

    *Completed*: staff and participants joined, or participants only. *No show*: staff joined and nobody else.
    """
    if attendance.is_going_on:
        return MicrosoftStatus.NOT_LISTED
    if attendance.has_patient:
        return MicrosoftStatus.COMPLETED
    return MicrosoftStatus.NO_SHOW if attendance.has_provider else MicrosoftStatus.NOT_LISTED


def seconds(length: timedelta) -> int:
    """Return whole seconds of a length, never below zero."""
    return max(int(length.total_seconds()), 0)
