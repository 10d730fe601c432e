"""Visits in the words of those who take part; never with a name."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from core import moments
from launch.models import DeviceTest, LaunchAttempt
from launch.moments import spoken
from launch.services import arrivals, ratings, waiting
from meetings.models import Meeting, Participant
from meetings.services import status
from meetings.services.finding import meeting_of
from visits.models import Visit

LISTENING_BEGINS_WITHIN = timedelta(seconds=20)

_STATES = {
    Participant.State.EXPECTED: ("neutral", "Not here yet"),
    Participant.State.WAITING: ("warn", "In the lobby"),
    Participant.State.CONNECTED: ("ok", "Connected"),
    Participant.State.LEFT: ("neutral", "Left"),
}


@dataclass(frozen=True)
class PersonRow:
    """One participant on the provider's page."""

    person: status.Person

    @property
    def label(self) -> str:
        """Role and number, such as ``Patient 1``."""
        return self.person.label

    @property
    def tone(self) -> str:
        """The tone of the state."""
        return "info" if self._is_coming else _STATES[Participant.State(self.person.state)][0]

    @property
    def state(self) -> str:
        """Where the person is."""
        return "On the way" if self._is_coming else _STATES[Participant.State(self.person.state)][1]

    @property
    def note(self) -> str:
        """What else matters about the person: that they interpret, how many devices they have used."""
        parts = ["ready to interpret"] if self.is_here and self.person.role == Participant.Role.INTERPRETER else []
        parts += [f"{self.person.devices} devices"] if self.person.devices > 1 else []
        return ", ".join(parts)

    @property
    def is_here(self) -> bool:
        """Whether the person is in the lobby or the call."""
        return self.person.state in {Participant.State.WAITING, Participant.State.CONNECTED}

    @property
    def since(self) -> datetime | None:
        """Since when the person waits or is connected."""
        return self.person.since if self.is_here else None

    @property
    def _is_coming(self) -> bool:
        return self.person.is_on_the_way and not self.is_here


def _interpreters_first(person: status.Person) -> tuple[bool, datetime]:
    return person.role != Participant.Role.INTERPRETER, person.since


_CHECKS = {
    "connection": "connection",
    "camera": "camera",
    "microphone": "microphone",
    "speaker": "sound",
    "call": "test call",
}


@dataclass(frozen=True)
class ArrivalRow:
    """A patient before the lobby, on the provider's page. ``number`` tells several apart, 0 is the only one."""

    arrival: arrivals.Arrival
    now: datetime
    number: int

    @property
    def label(self) -> str:
        """Who it is: nobody has a number in Teams before they are there."""
        return f"Patient {self.number}" if self.number else "The patient"

    @property
    def is_stuck(self) -> bool:
        """Whether they need help."""
        return self.arrival.is_stuck(now=self.now)

    @property
    def since(self) -> datetime:
        """When they opened the visit."""
        return self.arrival.opened_at

    @property
    def step(self) -> str:
        """The step at which they are."""
        if self.arrival.attempt.state == LaunchAttempt.State.JOINED:
            return "went on to Teams and has not asked to be let in"
        return "is on the page before the waiting room"

    @property
    def test(self) -> tuple[str, str] | None:
        """Tone and words for the device test; None when there was none."""
        test = self.arrival.test
        if test is None:
            return None
        if test.is_passed:
            return "ok", "Device test passed"
        results = test.results
        words = [f"{_CHECKS[name]}: {DeviceTest.Result(results[name]).label.lower()}" for name in test.troubles]
        return ("warn", "; ".join(words)) if words else ("neutral", "Device test skipped in part")


@dataclass(frozen=True)
class StatusPresenter:
    """The provider's companion page: who is here, who waits."""

    attempt: LaunchAttempt
    now: datetime

    @property
    def visit(self) -> Visit:
        """The visit."""
        assert self.attempt.visit is not None  # noqa: S101 - guarded by visit_page
        return self.attempt.visit

    @cached_property
    def people(self) -> list[PersonRow]:
        """Everybody who takes part."""
        return [PersonRow(person) for person in self._status.people] if self._status else []

    @cached_property
    def waiting(self) -> list[PersonRow]:
        """Who is in the lobby: interpreters first, since nobody can be spoken with before; then longest first."""
        people = self._status.waiting if self._status else ()
        return [PersonRow(person) for person in sorted(people, key=_interpreters_first)]

    @cached_property
    def arrivals(self) -> list[ArrivalRow]:
        """Patients who opened the visit, with their device tests."""
        found = arrivals.of_visit(self.visit, now=self.now)
        return [
            ArrivalRow(arrival, self.now, number if len(found) > 1 else 0) for number, arrival in enumerate(found, 1)
        ]

    @property
    def stuck(self) -> list[ArrivalRow]:
        """Patients who opened the visit and need help to come in."""
        return [row for row in self.arrivals if row.is_stuck]

    @property
    def by_telephone(self) -> str:
        """How somebody comes in by telephone: number and conference id; '' when Teams gave none."""
        meeting = self._meeting
        if meeting is None or not meeting.dial_in_number:
            return ""
        return f"{meeting.dial_in_number}, conference ID {meeting.dial_in_id}"

    @property
    def tested(self) -> list[ArrivalRow]:
        """Patients whose device test is known."""
        return [row for row in self.arrivals if row.test]

    @property
    def has_strangers(self) -> bool:
        """Whether two different people came as the patient of a visit that has one."""
        here = [row for row in self.people if row.is_here and row.person.role == Participant.Role.PATIENT]
        return len(here) > 1 and not self.visit.is_group

    @property
    def admission(self) -> str:
        """What to do about the lobby."""
        if any(row.person.role == Participant.Role.INTERPRETER for row in self.waiting) and len(self.waiting) > 1:
            return "Admit the interpreter first, in Teams."
        return "Admit them in Teams."

    @property
    def heading(self) -> str:
        """What matters most now."""
        if len(self.waiting) > 1:
            return f"{len(self.waiting)} people are waiting"
        if self.waiting:
            return f"{self.waiting[0].label} is waiting"
        others = [person for person in self.people if person.person.role != Participant.Role.PROVIDER]
        if any(person.person.state == Participant.State.CONNECTED for person in others):
            return "In visit"
        return "Nobody is waiting"

    @property
    def lead(self) -> str:
        """What is planned, in the visit's zone: ``Video visit, Nov 24, 2026, 2:00 PM CST``."""
        starts_at = self.visit.starts_at
        if starts_at is None:
            return "Video visit"
        return f"Video visit, {moments.written(starts_at, style='full', zone_name=self.visit.time_zone)}"

    @property
    def is_deaf(self) -> bool:
        """Whether Teams should tell us who is there and does not, so that the page may be behind."""
        if self._meeting is None or self._status is None or self._status.is_heard or self.trouble:
            return False
        return self.now - self._meeting.created_at > LISTENING_BEGINS_WITHIN

    @property
    def trouble(self) -> str:
        """The code of why Teams has not made the meeting yet; '' when nothing hinders it."""
        meeting = self._meeting
        return meeting.error_code if meeting is not None and meeting.state == Meeting.State.CREATING else ""

    @property
    def version(self) -> str:
        """Differs whenever the page has something new to show."""
        seen = [(row.label, row.state, row.since, row.note) for row in self.people]
        before = [(row.label, row.is_stuck, row.step, row.test) for row in self.arrivals]
        return hashlib.sha256(repr((seen, before, self.is_deaf, self.trouble, self.lead)).encode()).hexdigest()[:16]

    @cached_property
    def _meeting(self) -> Meeting | None:
        return meeting_of(self.visit)

    @cached_property
    def _status(self) -> status.MeetingStatus | None:
        return status.current(self._meeting, now=self.now) if self._meeting else None


@dataclass(frozen=True)
class WaitingPresenter:
    """The patient's waiting page. Its wording is in the templates, where it is translated."""

    attempt: LaunchAttempt
    now: datetime

    @property
    def starts(self) -> str:
        """When the visit is, in its own zone: ``today at 2:00 PM Central Time``; '' when that is not known."""
        visit = self.attempt.visit
        if visit is None or visit.starts_at is None:
            return ""
        return spoken(visit.starts_at, time_zone=visit.time_zone, now=self.now)

    @property
    def state(self) -> str:
        """``checked_in``, ``lobby``, ``in_visit`` or ``left``: the wording follows from it."""
        return self._situation.state

    @property
    def since(self) -> datetime:
        """Since when the patient has been in this state."""
        return self._situation.since

    @property
    def has_provider(self) -> bool:
        """Whether the care team is in the call."""
        return self._situation.has_provider

    @property
    def is_inside(self) -> bool:
        """Whether the patient is in the lobby or the call."""
        return self.state in {waiting.LOBBY, waiting.IN_VISIT}

    @property
    def is_rated(self) -> bool:
        """Whether the patient has answered the one question after the visit."""
        return ratings.is_rated(self.attempt)

    @property
    def has_left(self) -> bool:
        """Whether the patient was in the visit and is no longer."""
        return self.state == waiting.LEFT

    @property
    def template(self) -> str:
        """The page for this state."""
        return "launch/end.html" if self.has_left else "launch/visit.html"

    @property
    def version(self) -> str:
        """Differs whenever the page has something new to show."""
        return f"{self.state}-{'with' if self.has_provider else 'without'}"

    @cached_property
    def _situation(self) -> waiting.Situation:
        return waiting.situation_of(self.attempt)
