"""Words and states of the Teams-like pages; templates decide nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import people
from sandbox.graph.wire import join_web_url, visit_url
from sandbox.models import Attendant, Meeting
from sandbox.teams import rules
from sandbox.teams.room import open_call

_HINTS = {
    Attendant.Role.ORGANIZER: "Organizer",
    Attendant.Role.TENANT: "Lamna Healthcare",
    Attendant.Role.EXTERNAL: "Outside the organization",
}


@dataclass(frozen=True)
class Tile:
    """One person in the room or the lobby."""

    id: str
    name: str
    initials: str
    hint: str
    since: datetime
    is_you: bool

    @property
    def button_id(self) -> str:
        """Id of the button that admits this person; keeps the focus when the lobby is redrawn."""
        return f"admit-{self.id}"

    @property
    def admit_label(self) -> str:
        """What a screen reader says for the button that admits this person."""
        return f"Admit {self.name}"


@dataclass(frozen=True)
class Room:
    """The room as one participant sees it."""

    title: str
    participant: str
    state: str
    status: str
    status_tone: str
    in_call: list[Tile]
    lobby: list[Tile]
    may_admit: bool
    may_end: bool
    rejoin_url: str


@dataclass(frozen=True)
class MeetingRow:
    """A meeting on the list of rooms."""

    title: str
    starts_at: datetime
    organizer: str
    status: str
    status_tone: str
    join_url: str
    visit_url: str


_STATUS = {
    Attendant.State.LOBBY: ("Waiting in the lobby", "warn"),
    Attendant.State.IN_CALL: ("In the meeting", "ok"),
    Attendant.State.LEFT: ("Left", "neutral"),
}


def title_of(meeting: Meeting) -> str:
    """Return the meeting's name; never a person's."""
    return meeting.subject or "Virtual visit"


def room_for(viewer: Attendant) -> Room:
    """Return the room as ``viewer`` sees it: outside the call nobody else is shown."""
    meeting = viewer.meeting
    state, role = Attendant.State(viewer.state), Attendant.Role(viewer.role)
    is_inside = state is Attendant.State.IN_CALL
    present = list(meeting.attendants.exclude(state=Attendant.State.LEFT)) if is_inside else []
    may_admit = is_inside and rules.may_admit(meeting, oid=viewer.oid, role=role)
    status, tone = _STATUS[state]
    return Room(
        title=title_of(meeting),
        participant=str(viewer.id),
        state=state.value,
        status=status,
        status_tone=tone,
        in_call=[_tile(one, viewer) for one in present if one.state == Attendant.State.IN_CALL],
        lobby=[_tile(one, viewer) for one in present if one.state == Attendant.State.LOBBY] if may_admit else [],
        may_admit=may_admit,
        may_end=is_inside and rules.presents(meeting, oid=viewer.oid, role=role),
        rejoin_url=join_web_url(meeting) if viewer.oid else visit_url(meeting),
    )


def row_for(meeting: Meeting) -> MeetingRow:
    """Return the meeting as the list of rooms shows it."""
    waiting = sum(one.state == Attendant.State.LOBBY for one in meeting.attendants.all())
    inside = sum(one.state == Attendant.State.IN_CALL for one in meeting.attendants.all())
    organizer = people.find(meeting.organizer_oid)
    status, tone = _room_status(inside=inside, waiting=waiting)
    return MeetingRow(
        title=title_of(meeting),
        starts_at=meeting.starts_at,
        organizer=organizer.name if organizer else meeting.organizer_oid,
        status=status,
        status_tone=tone,
        join_url=join_web_url(meeting),
        visit_url=visit_url(meeting),
    )


def room_json(meeting: Meeting) -> dict[str, Any]:
    """Return the room as the control interface shows it."""
    return {
        "meeting": meeting.graph_id,
        "external_id": meeting.external_id,
        "subject": meeting.subject,
        "organizer": meeting.organizer_oid,
        "is_call_open": open_call(meeting) is not None,
        "join_web_url": join_web_url(meeting),
        "visit_url": visit_url(meeting),
        "participants": [
            {"id": str(one.id), "name": one.name, "role": one.role, "state": one.state}
            for one in meeting.attendants.all()
        ],
    }


def _room_status(*, inside: int, waiting: int) -> tuple[str, str]:
    if waiting:
        return f"{waiting} in the lobby, {inside} in the meeting", "warn"
    return (f"{inside} in the meeting", "ok") if inside else ("Nobody there", "neutral")


def _tile(attendant: Attendant, viewer: Attendant) -> Tile:
    return Tile(
        id=str(attendant.id),
        name=attendant.name,
        initials="".join(word[0] for word in attendant.name.split()[:2]).upper(),
        hint=_HINTS[Attendant.Role(attendant.role)],
        since=attendant.joined_at or attendant.arrived_at,
        is_you=attendant.pk == viewer.pk,
    )
