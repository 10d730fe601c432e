from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from meetings.models import Meeting, Participant
from meetings.services import status
from tests.meetings.rows import make_meeting, make_subscription

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
Role, State = Participant.Role, Participant.State


def person(meeting, role, state, *, ordinal=1, minutes=0):
    return Participant.objects.create(
        organization=meeting.organization,
        meeting=meeting,
        role=role,
        ordinal=ordinal,
        state=state,
        state_at=NOW - timedelta(minutes=minutes),
        created_at=NOW,
    )


def test_people_have_roles_and_numbers_and_minutes_in_the_lobby():
    meeting = make_meeting()
    person(meeting, Role.PATIENT, State.WAITING, minutes=4)
    person(meeting, Role.PATIENT, State.WAITING, ordinal=2, minutes=7)
    person(meeting, Role.PROVIDER, State.CONNECTED, minutes=9)
    current = status.current(meeting, now=NOW)
    assert [person.label for person in current.waiting] == ["Patient 2", "Patient 1"]
    assert [person.waited for person in current.waiting] == [timedelta(minutes=7), timedelta(minutes=4)]
    assert [(person.label, person.waited) for person in current.connected] == [("Provider 1", timedelta(0))]


@pytest.mark.parametrize(("provider", "needs"), [(State.CONNECTED, True), (State.EXPECTED, False)])
def test_somebody_has_to_be_admitted_once_a_provider_can(provider, needs):
    meeting = make_meeting()
    person(meeting, Role.PATIENT, State.WAITING)
    person(meeting, Role.PROVIDER, provider)
    assert status.current(meeting, now=NOW).needs_admission is needs


def test_a_page_knows_whether_graph_tells_us_anything():
    meeting = make_meeting()
    assert not status.current(meeting, now=timezone.now()).is_heard
    make_subscription(meeting)
    meeting = Meeting.objects.get()
    assert status.current(meeting, now=timezone.now()).is_heard
    assert not status.current(meeting, now=timezone.now() + timedelta(days=3)).is_heard


def test_a_crowd_costs_no_more_queries_than_one(django_assert_num_queries):
    meeting = make_meeting()
    for number in range(1, 12):
        person(meeting, Role.PATIENT, State.WAITING, ordinal=number)
    with django_assert_num_queries(2):
        assert len(status.current(meeting, now=NOW).people) == 11
