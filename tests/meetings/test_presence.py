import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetings import signals
from meetings.models import Connection, Meeting, Participant, PresenceEvent
from meetings.providers.base import CallEvent, CallEventKind, Identity, RosterChange, Whereabouts
from meetings.services import participants, presence
from tests.factories import TENANT_ID, make_visit
from tests.meetings.graph import PROVIDER
from tests.meetings.rows import make_meeting

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
LOBBY, IN_CALL, GONE = Whereabouts.LOBBY, Whereabouts.IN_CALL, Whereabouts.GONE
Kind, Role = PresenceEvent.Kind, Participant.Role
DOCTOR = Identity(id=PROVIDER, tenant_id=str(TENANT_ID))


def at(second):
    return START + timedelta(seconds=second)


def roster(second, device, whereabouts, identity=None):
    change = RosterChange(connection_id=device, whereabouts=whereabouts, identity=identity or Identity(id=device))
    return CallEvent(kind=CallEventKind.ROSTER, at=at(second), changes=(change,))


def ended(second):
    return CallEvent(kind=CallEventKind.ENDED, at=at(second))


def deliver(meeting, *events):
    for event in events:
        presence.record(meeting, event, now=timezone.now())


def history(participant):
    return [(event.kind, int((event.at - START).total_seconds())) for event in participant.presence_events.standing()]


@pytest.fixture
def told():
    """Every presence event that was announced, as (kind, sequence)."""
    heard = []

    def hear(event, **_):
        heard.append((event.kind, event.sequence))

    signals.presence_changed.connect(hear)
    yield heard
    signals.presence_changed.disconnect(hear)


def test_a_patient_waits_is_admitted_and_leaves(told):
    meeting = make_meeting()
    patient = participants.expect(meeting, role=Role.PATIENT, ehr_user_id="E1", now=at(0))
    deliver(meeting, roster(1, "g", LOBBY), roster(40, "g", IN_CALL), roster(600, "g", GONE))
    assert history(patient) == [(Kind.LOBBY_ENTERED, 1), (Kind.CONNECTED, 40), (Kind.DISCONNECTED, 600)]
    assert told == [(Kind.LOBBY_ENTERED, 1), (Kind.CONNECTED, 2), (Kind.DISCONNECTED, 3)]
    patient.refresh_from_db()
    assert (patient.state, patient.state_at) == (Participant.State.LEFT, at(600))


def test_a_duplicate_tells_nothing(told):
    meeting = make_meeting()
    deliver(meeting, *[roster(1, "g", IN_CALL)] * 3)
    assert told == [(Kind.CONNECTED, 1)]


def test_a_departure_that_comes_first_waits_for_its_arrival(told):
    meeting = make_meeting()
    patient = participants.expect(meeting, role=Role.PATIENT, ehr_user_id="E1", now=at(0))
    deliver(meeting, roster(600, "g", GONE, Identity()))
    assert told == []
    assert Connection.objects.get().participant is None
    deliver(meeting, roster(40, "g", IN_CALL))
    assert history(patient) == [(Kind.CONNECTED, 40), (Kind.DISCONNECTED, 600)]
    assert told == [(Kind.CONNECTED, 1), (Kind.DISCONNECTED, 2)]


def test_a_person_with_two_devices_is_there_until_the_last_leaves(told):
    meeting = make_meeting()
    deliver(
        meeting,
        roster(0, "phone", IN_CALL, DOCTOR),
        roster(5, "laptop", IN_CALL, DOCTOR),
        roster(9, "phone", GONE, DOCTOR),
        roster(30, "laptop", GONE, DOCTOR),
    )
    assert told == [(Kind.CONNECTED, 1), (Kind.DISCONNECTED, 2)]
    assert Participant.objects.get().connections.count() == 2


def test_late_news_of_another_device_takes_a_disconnect_back(told):
    meeting = make_meeting()
    deliver(
        meeting,
        roster(0, "phone", IN_CALL, DOCTOR),
        roster(9, "phone", GONE, DOCTOR),
        roster(5, "laptop", IN_CALL, DOCTOR),
    )
    assert told == [(Kind.CONNECTED, 1), (Kind.DISCONNECTED, 2), (Kind.CONNECTED, 3)]
    assert history(Participant.objects.get()) == [(Kind.CONNECTED, 0)]
    deliver(meeting, roster(30, "laptop", GONE, DOCTOR))
    assert told[3:] == [(Kind.DISCONNECTED, 4)]
    assert history(Participant.objects.get()) == [(Kind.CONNECTED, 0), (Kind.DISCONNECTED, 30)]


def test_earlier_news_corrects_the_time_without_telling_again(told):
    meeting = make_meeting()
    deliver(meeting, roster(7, "g", IN_CALL), roster(3, "g", IN_CALL))
    assert told == [(Kind.CONNECTED, 1)]
    assert history(Participant.objects.get()) == [(Kind.CONNECTED, 3)]


def test_the_end_of_the_meeting_closes_all_and_is_told_once():
    ends = []
    signals.meeting_ended.connect(hear := (lambda meeting, **_: ends.append(meeting.pk)))
    try:
        meeting = make_meeting()
        deliver(meeting, roster(0, "d", IN_CALL, DOCTOR), roster(1, "g", LOBBY), roster(2, "h", IN_CALL))
        deliver(meeting, ended(90), ended(90))
    finally:
        signals.meeting_ended.disconnect(hear)
    meeting.refresh_from_db()
    assert (meeting.state, meeting.started_at, meeting.ended_at) == (Meeting.State.ENDED, at(0), at(90))
    assert set(meeting.participants.values_list("state", flat=True)) == {Participant.State.LEFT}
    assert ends == [meeting.pk]


def test_somebody_who_comes_back_opens_the_meeting_again():
    meeting = make_meeting()
    deliver(meeting, roster(0, "d", IN_CALL, DOCTOR), ended(90), roster(200, "d2", IN_CALL, DOCTOR))
    meeting.refresh_from_db()
    assert (meeting.state, meeting.ended_at) == (Meeting.State.READY, None)


def test_a_cancelled_meeting_stays_cancelled():
    meeting = make_meeting(state=Meeting.State.CANCELLED)
    deliver(meeting, roster(0, "d", IN_CALL, DOCTOR), ended(90))
    meeting.refresh_from_db()
    assert meeting.state == Meeting.State.CANCELLED


def test_nothing_is_kept_when_a_receiver_fails():
    def fail(**_):
        raise RuntimeError("no outbox row")

    meeting = make_meeting()
    signals.presence_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            presence.record(meeting, roster(0, "g", IN_CALL), now=timezone.now())
    finally:
        signals.presence_changed.disconnect(fail)
    assert not PresenceEvent.objects.exists()
    assert not Connection.objects.exists()


moments = st.integers(0, 12)
events = st.lists(
    st.builds(ended, moments)
    | st.builds(
        roster,
        moments,
        st.sampled_from(["phone", "laptop"]),
        st.sampled_from([LOBBY, IN_CALL, GONE]),
        st.just(DOCTOR),
    ),
    min_size=1,
    max_size=7,
)


def outcome(deliveries):
    """Return what stands after ``deliveries`` to a new meeting, and check what was told on the way."""
    meeting = make_meeting(make_visit())
    participant = participants.expect(meeting, role=Role.PROVIDER, ehr_user_id="E1", now=at(0))
    deliver(meeting, *deliveries)
    participant.refresh_from_db()
    meeting.refresh_from_db()
    rows = participant.presence_events.order_by("sequence")
    calls = [event.kind for event in rows if event.kind in presence.CALL]
    assert calls == [Kind.CONNECTED, Kind.DISCONNECTED] * (len(calls) // 2) + [Kind.CONNECTED] * (len(calls) % 2)
    assert (participant.state == Participant.State.CONNECTED) == (len(calls) % 2 == 1)
    assert [event.sequence for event in rows] == list(range(1, len(rows) + 1))
    return history(participant), participant.state, meeting.state, meeting.started_at, meeting.ended_at


def rolled_back(check: Callable[[], None]) -> None:
    with transaction.atomic():
        check()
        transaction.set_rollback(True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=events, random=st.randoms(use_true_random=False))
def test_any_order_with_duplicates_ends_like_once_and_in_order(events, random):
    in_order = sorted(events, key=lambda event: event.at)
    shuffled = [*events, *random.choices(events, k=2)]
    random.shuffle(shuffled)

    def check():
        assert outcome(shuffled) == outcome(in_order)

    rolled_back(check)


@pytest.mark.django_db(transaction=True)
def test_deliveries_at_the_same_moment_do_not_cross():
    meeting = make_meeting()
    together = threading.Barrier(6)

    def record(second):
        try:
            together.wait(timeout=30)
            presence.record(meeting, roster(second, "g", IN_CALL if second % 2 else GONE), now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(record, range(1, 7)))
    kinds = [kind for kind, _ in history(Participant.objects.get())]
    assert kinds == [Kind.CONNECTED, Kind.DISCONNECTED] * 3
