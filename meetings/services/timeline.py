"""From what was seen of a participant's devices to what happened to the participant. Pure.

Observations may come twice, late and in any order; the result depends on their times alone. A participant
is in the call while any device is, and waits while any device is in the lobby and none in the call.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from meetings.models import Observation, Participant, PresenceEvent

Kind = PresenceEvent.Kind
State = Participant.State

# What a device did last within one instant, since times can be as coarse as a second. Only the outcome of an
# instant counts, so that a change of devices is no absence.
_RANK = {Observation.Kind.LOBBY: 0, Observation.Kind.IN_CALL: 1, Observation.Kind.GONE: 2}


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One device seen somewhere. ``device`` tells devices apart; ``kind`` is an ``Observation.Kind``."""

    device: object
    kind: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of the participant's presence."""

    kind: Kind
    at: datetime


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything that happened to a participant, oldest first, and where that leaves them."""

    transitions: tuple[Transition, ...]
    state: State
    state_at: datetime | None

    def track(self, kinds: Sequence[str]) -> list[Transition]:
        """Return the transitions of some kinds."""
        return [transition for transition in self.transitions if transition.kind in kinds]


def history_of(sightings: Iterable[Sighting], *, call_ends: Iterable[datetime] = ()) -> History:
    """Return the history that ``sightings`` tell.

    :param call_ends: when the meeting ended for everybody; closes every device that is still there.
    """
    state, state_at = State.EXPECTED, None
    transitions: list[Transition] = []
    for at, present in _states(sightings, call_ends):
        if present == state:
            continue
        transitions += _between(state, present, at)
        state, state_at = present, at
    return History(transitions=tuple(transitions), state=state, state_at=state_at)


def _states(sightings: Iterable[Sighting], call_ends: Iterable[datetime]) -> Iterator[tuple[datetime, State]]:
    """Yield the participant's state after each instant at which something was seen."""
    steps = [(sighting.at, _RANK[Observation.Kind(sighting.kind)], sighting) for sighting in sightings]
    ends = [(at, len(_RANK), None) for at in call_ends]
    devices: dict[object, str] = {}
    ordered = sorted([*steps, *ends], key=lambda step: step[:2])
    for at, group in groupby(ordered, key=lambda step: step[0]):
        for *_, sighting in group:
            if sighting is None:
                devices = dict.fromkeys(devices, Observation.Kind.GONE)
            else:
                devices[sighting.device] = sighting.kind
        yield at, _state_of(devices.values())


def _state_of(kinds: Iterable[str]) -> State:
    kinds = set(kinds)
    if Observation.Kind.IN_CALL in kinds:
        return State.CONNECTED
    if Observation.Kind.LOBBY in kinds:
        return State.WAITING
    return State.LEFT if kinds else State.EXPECTED


def _between(old: State, new: State, at: datetime) -> list[Transition]:
    """Return what a change from ``old`` to ``new`` is called; from the lobby into the call is an admission."""
    kinds: list[Kind] = []
    if old == State.CONNECTED:
        kinds.append(Kind.DISCONNECTED)
    if old == State.WAITING and new == State.LEFT:
        kinds.append(Kind.LEFT_LOBBY)
    if new == State.WAITING:
        kinds.append(Kind.LOBBY_ENTERED)
    if new == State.CONNECTED:
        kinds.append(Kind.CONNECTED)
    return [Transition(kind=kind, at=at) for kind in kinds]
