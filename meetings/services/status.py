"""Who is in a meeting now, for pages that watch it. No names: roles and numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from meetings.models import Meeting, Participant


@dataclass(frozen=True, kw_only=True)
class Person:
    """One participant as a page shows it.

    :param label: ``Patient 1``; English, pages in other languages build it from ``role`` and ``ordinal``.
    :param state: ``expected``, ``waiting``, ``connected`` or ``left``, and ``since`` when.
    :param waited: how long in the lobby until now; zero for somebody who is not waiting.
    :param is_on_the_way: opened Teams from our page and has not arrived yet.
    :param devices: how many devices the person has used.
    """

    participant_id: str
    role: str
    ordinal: int
    label: str
    state: str
    since: datetime
    waited: timedelta
    is_named: bool
    is_on_the_way: bool
    devices: int


@dataclass(frozen=True, kw_only=True)
class MeetingStatus:
    """A meeting as a page shows it. ``is_heard`` is False while Graph does not tell us who is there."""

    state: str
    started_at: datetime | None
    ended_at: datetime | None
    is_heard: bool
    people: tuple[Person, ...]

    @property
    def waiting(self) -> tuple[Person, ...]:
        """Who is in the lobby, longest first."""
        there = (person for person in self.people if person.state == Participant.State.WAITING)
        return tuple(sorted(there, key=lambda person: person.since))

    @property
    def connected(self) -> tuple[Person, ...]:
        """Who is in the call."""
        return tuple(person for person in self.people if person.state == Participant.State.CONNECTED)

    @property
    def needs_admission(self) -> bool:
        """Whether somebody waits while a provider could let them in."""
        has_provider = any(person.role == Participant.Role.PROVIDER for person in self.connected)
        return bool(self.waiting) and has_provider


def current(meeting: Meeting, *, now: datetime) -> MeetingStatus:
    """Return the status of ``meeting`` in two queries, however many people take part."""
    participants = meeting.participants.annotate(devices=Count("connections")).order_by("created_at", "role", "ordinal")
    subscription = getattr(meeting, "subscription", None)
    return MeetingStatus(
        state=meeting.state,
        started_at=meeting.started_at,
        ended_at=meeting.ended_at,
        is_heard=subscription is not None and subscription.is_live(now=now),
        people=tuple(_person(participant, now=now) for participant in participants),
    )


def _person(participant: Participant, *, now: datetime) -> Person:
    is_waiting = participant.state == Participant.State.WAITING
    return Person(
        participant_id=str(participant.pk),
        role=participant.role,
        ordinal=participant.ordinal,
        label=participant.label,
        state=participant.state,
        since=participant.state_at,
        waited=max(now - participant.state_at, timedelta(0)) if is_waiting else timedelta(0),
        is_named=participant.is_named,
        is_on_the_way=participant.expected_at is not None,
        devices=getattr(participant, "devices", 0),
    )
