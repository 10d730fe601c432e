"""From presence events to the figures of a visit: who was there, how long, how long somebody waited.

Definitions follow Microsoft's Virtual Appointments usage report where it has one, and stand beside the
figures wherever they are shown.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from meetings.models import Participant, PresenceEvent

Kind = PresenceEvent.Kind


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """What presence says about one visit.

    :ivar started_at: when a provider and somebody else were in the call together for the first time.
    :ivar duration: from then until the last person left; zero when they never met.
    :ivar lobby_wait: from the first arrival in the lobby until somebody was let in; None when nobody waited.
    :ivar total: how many different people were in the call.
    :ivar peak: how many were in it at one time.
    """

    started_at: datetime | None = None
    ended_at: datetime | None = None
    lobby_wait: timedelta | None = None
    waiting_since: datetime | None = None
    total: int = 0
    peak: int = 0
    has_provider: bool = False
    has_patient: bool = False
    present_now: int = 0

    @property
    def duration(self) -> timedelta:
        """From the first moment together until the last person left."""
        if self.started_at is None or self.ended_at is None:
            return timedelta()
        return self.ended_at - self.started_at

    @property
    def has_met(self) -> bool:
        """Whether a provider and somebody else were in the call together."""
        return self.started_at is not None


@dataclass
class _Count:
    """The running count while events are read in order of time."""

    in_call: dict[object, bool] = field(default_factory=dict)
    in_lobby: dict[object, datetime] = field(default_factory=dict)
    everybody: set[object] = field(default_factory=set)
    peak: int = 0
    started_at: datetime | None = None
    last_left_at: datetime | None = None
    first_lobby_at: datetime | None = None
    first_admitted_at: datetime | None = None
    roles: set[bool] = field(default_factory=set)

    def take(self, event: PresenceEvent) -> None:
        person, is_provider = event.participant_id, event.participant.role == Participant.Role.PROVIDER
        if event.kind == Kind.LOBBY_ENTERED:
            self.in_lobby[person] = event.at
            self.first_lobby_at = self.first_lobby_at or event.at
        elif event.kind == Kind.CONNECTED:
            self._connect(person, is_provider=is_provider, at=event.at)
        else:
            self.in_lobby.pop(person, None)
            if self.in_call.pop(person, None) is not None:
                self.last_left_at = event.at

    def _connect(self, person: object, *, is_provider: bool, at: datetime) -> None:
        if self.in_lobby.pop(person, None) is not None:
            self.first_admitted_at = self.first_admitted_at or at
        self.in_call[person] = is_provider
        self.everybody.add(person)
        self.roles.add(is_provider)
        self.peak = max(self.peak, len(self.in_call))
        if self.started_at is None and len(set(self.in_call.values())) == 2:  # noqa: PLR2004 - both sides
            self.started_at = at


def attendance(events: list[PresenceEvent]) -> Attendance:
    """Return the figures that ``events``, in order of time, tell of a visit."""
    count = _Count()
    for event in events:
        count.take(event)
    is_over = not count.in_call and not count.in_lobby
    waited = None
    if count.first_lobby_at and count.first_admitted_at:
        waited = count.first_admitted_at - count.first_lobby_at
    return Attendance(
        started_at=count.started_at,
        ended_at=count.last_left_at if is_over else None,
        lobby_wait=waited,
        waiting_since=min(count.in_lobby.values(), default=None),
        total=len(count.everybody),
        peak=count.peak,
        has_provider=True in count.roles,
        has_patient=False in count.roles,
        present_now=len(count.in_call),
    )
