from datetime import timedelta

import pytest

from core import outbox as core_outbox
from meetings.models import PresenceEvent
from tests.writeback.conftest import set_conference
from writeback.models import WritebackEvent
from writeback.services import outbox

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


def claim(now, limit=10):
    return core_outbox.claim(WritebackEvent.objects.claimable(now), now=now, limit=limit)


def set_state(row, state):
    WritebackEvent.objects.filter(pk=row.pk).update(state=state)


def state_of(row):
    return WritebackEvent.objects.get(pk=row.pk).state


def test_only_the_first_open_row_of_a_participant_may_be_claimed(tell, provider, add, now):
    patient = add("patient")
    first, other = tell(provider, Kind.CONNECTED), tell(patient, Kind.CONNECTED)
    tell(provider, Kind.DISCONNECTED)
    assert set(claim(now)) == {first, other}
    assert claim(now) == []


@pytest.mark.parametrize("state", [State.PENDING, State.SENDING, State.NOT_SENDABLE])
def test_an_open_row_holds_up_the_later_ones(tell, provider, now, state):
    first = tell(provider, Kind.CONNECTED)
    second = tell(provider, Kind.DISCONNECTED)
    WritebackEvent.objects.filter(pk=first.pk).update(state=state, due_at=now + timedelta(minutes=5))
    assert claim(now) == []
    set_state(first, State.ACCEPTED)
    assert claim(now) == [second]


@pytest.mark.parametrize("state", [State.ACCEPTED, State.FAILED, State.UNKNOWN])
def test_a_finished_row_lets_the_later_ones_go(tell, provider, now, state):
    set_state(tell(provider, Kind.CONNECTED), state)
    second = tell(provider, Kind.DISCONNECTED)
    assert claim(now) == [second]


def test_held_rows_are_released_by_visit_once_the_conference_is_known(tell, provider, visit, now):
    set_conference(visit, None)
    rows = [tell(provider, Kind.CONNECTED), tell(provider, Kind.DISCONNECTED)]
    assert outbox.release_all_held(now=now) == 0
    set_conference(visit, "1853")
    assert outbox.release_all_held(now=now) == 2
    assert [state_of(row) for row in rows] == [State.PENDING, State.PENDING]
    assert claim(now) == [rows[0]]


def test_rows_of_a_lost_worker_go_back_in_line(tell, provider, now):
    row = tell(provider, Kind.CONNECTED)
    claim(now)
    assert outbox.recover_abandoned(now=now + timedelta(seconds=89)) == 0
    later = now + core_outbox.LEASE
    assert outbox.recover_abandoned(now=later) == 1
    assert state_of(row) == State.PENDING
    assert claim(later) == [row]


def test_a_worker_that_comes_back_late_changes_nothing(tell, provider, now):
    tell(provider, Kind.CONNECTED)
    late = claim(now)[0]
    outbox.recover_abandoned(now=now + core_outbox.LEASE)
    assert not core_outbox.finish(late, state=State.ACCEPTED, now=now)
    assert state_of(late) == State.PENDING


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN])
def test_the_last_news_about_a_person_may_be_sent_again(tell, provider, now, state):
    row = tell(provider, Kind.CONNECTED)
    set_state(row, state)
    assert outbox.retry([row], actor="avery.reed", now=now) == outbox.Decided(done=1, skipped=0)
    assert claim(now) == [row]


@pytest.mark.parametrize("later", [State.SENDING, State.ACCEPTED, State.UNKNOWN])
def test_old_news_is_not_sent_after_later_news(tell, provider, now, later):
    first, second = tell(provider, Kind.CONNECTED), tell(provider, Kind.DISCONNECTED)
    set_state(first, State.FAILED)
    set_state(second, later)
    assert outbox.retry([first], actor="avery.reed", now=now) == outbox.Decided(done=0, skipped=1)
    assert state_of(first) == State.FAILED


def test_a_row_of_failures_is_sent_again_in_order(tell, provider, now):
    rows = [tell(provider, Kind.CONNECTED), tell(provider, Kind.DISCONNECTED)]
    for row in rows:
        set_state(row, State.FAILED)
    assert outbox.retry(rows, actor="avery.reed", now=now).done == 2
    assert claim(now) == [rows[0]]


@pytest.mark.parametrize("state", [State.PENDING, State.SENDING, State.ACCEPTED, State.NOT_SENDABLE])
def test_what_has_not_failed_is_left_alone(tell, provider, now, state):
    row = tell(provider, Kind.CONNECTED)
    set_state(row, state)
    assert outbox.retry([row], actor="avery.reed", now=now).skipped == 1
    assert state_of(row) == state
