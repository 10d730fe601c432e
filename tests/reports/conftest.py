from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import Role
from meetings.models import Meeting, Participant, PresenceEvent
from tests.factories import make_endpoint, make_staff, make_visit
from tests.meetings.rows import make_meeting
from visits.models import Visit

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 9:00 in Chicago
START = NOW + timedelta(hours=3)
Happen = Callable[..., PresenceEvent]


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    """It is the morning of the visit's day, in every zone that matters."""
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def visit(db) -> Visit:
    """Elena's visit of today."""
    return make_visit(make_endpoint(), starts_at=START)


@pytest.fixture
def meeting(visit: Visit) -> Meeting:
    return make_meeting(visit, created_at=START - timedelta(minutes=10))


@pytest.fixture
def happen(meeting: Meeting) -> Happen:
    """Let something happen to a person, some seconds after the planned start."""

    def record(role: str, kind: str, seconds: int, *, ordinal: int = 1) -> PresenceEvent:
        at = START + timedelta(seconds=seconds)
        participant, _ = Participant.objects.get_or_create(
            meeting=meeting,
            role=role,
            ordinal=ordinal,
            defaults={"organization": meeting.organization, "state_at": at, "created_at": at},
        )
        sequence = participant.presence_events.count() + 1
        return PresenceEvent.objects.create(participant=participant, kind=kind, sequence=sequence, at=at, created_at=at)

    return record


@pytest.fixture
def staff(visit: Visit, client):
    """Sign in as support staff of the visit's organization."""
    client.force_login(make_staff(visit.organization, Role.SUPPORT))
    return client


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)
