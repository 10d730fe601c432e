"""Patients on their way into a visit, and whether one of them is stuck before the lobby."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from launch.models import DeviceTest, LaunchAttempt
from launch.services import device_tests, waiting
from meetings.models import Participant
from visits.models import Visit

STUCK_AFTER = timedelta(seconds=90)
LOOKED_BACK = timedelta(hours=4)

_PATIENTS = (Participant.Role.PATIENT, Participant.Role.PROXY)
_COMING = (LaunchAttempt.State.ARRIVED, LaunchAttempt.State.JOINED)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A patient who opened the visit: their newest way in, where they are, and their newest device test."""

    attempt: LaunchAttempt
    situation: waiting.Situation
    test: DeviceTest | None

    @property
    def opened_at(self) -> datetime:
        """When they opened the visit."""
        return self.attempt.finished_at or self.attempt.created_at

    def is_stuck(self, *, now: datetime) -> bool:
        """Whether they need help: no lobby within 90 seconds, or a device that does not work."""
        if self.situation.state != waiting.CHECKED_IN:
            return False
        return now - self.opened_at >= STUCK_AFTER or bool(self.troubles)

    @property
    def troubles(self) -> list[str]:
        """The checks of the device test that did not end well."""
        return self.test.troubles if self.test else []


def of_visit(visit: Visit, *, now: datetime) -> list[Arrival]:
    """Return who opened ``visit`` lately as a patient, each once, the earliest first."""
    attempts = LaunchAttempt.objects.filter(
        visit=visit, role__in=_PATIENTS, state__in=_COMING, created_at__gt=now - LOOKED_BACK
    ).select_related("contact")
    newest = {_person(attempt): attempt for attempt in attempts.order_by("created_at")}
    if not newest:
        return []
    people = waiting.people_of(visit)
    tests = {test.person_index: test for test in DeviceTest.objects.filter(visit=visit).order_by("created_at")}
    arrivals = [
        Arrival(
            attempt=attempt,
            situation=waiting.situation_of(attempt, people),
            test=tests.get(device_tests.person_index(attempt)),
        )
        for attempt in newest.values()
    ]
    return sorted(arrivals, key=lambda arrival: arrival.opened_at)


def _person(attempt: LaunchAttempt) -> object:
    return attempt.contact_id or attempt.ehr_user_id or attempt.pk
