from datetime import timedelta

import pytest

from core.errors import ConfigurationError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from meetings.models import PresenceEvent
from writeback.models import Circuit, WritebackEvent
from writeback.services import circuits

pytestmark = pytest.mark.django_db
AWAY = UpstreamUnavailable("epic.failing")
REFUSED = UpstreamRejected("epic.rejected", status=404)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


@pytest.fixture
def circuit(visit):
    return circuits.circuit_of(visit.endpoint)


def stored(circuit):
    return Circuit.objects.get(pk=circuit.pk)


def test_it_opens_after_five_failures_in_a_row(circuit, now):
    circuits.note(circuit, [AWAY] * 4, now=now)
    assert stored(circuit).lets_through(now=now)
    circuits.note(circuit, [OutcomeUnknown("epic.no_answer")], now=now)
    opened = stored(circuit)
    assert (opened.opened_at, opened.error_code, opened.failures) == (now, "epic.no_answer", 5)
    assert not opened.lets_through(now=now + timedelta(seconds=29))
    assert opened.lets_through(now=now + timedelta(seconds=30))


@pytest.mark.parametrize("answer", [None, REFUSED])
def test_an_answer_of_any_kind_starts_the_count_anew(circuit, now, answer):
    circuits.note(circuit, [AWAY] * 4, now=now)
    circuits.note(circuit, [answer], now=now)
    circuits.note(circuit, [AWAY] * 4, now=now)
    assert not stored(circuit).is_open


def test_a_failed_try_keeps_it_open_and_the_beginning_known(circuit, now):
    circuits.note(circuit, [AWAY] * 5, now=now)
    later = now + timedelta(seconds=31)
    circuits.note(circuit, [AWAY], now=later)
    opened = stored(circuit)
    assert (opened.opened_at, opened.retry_at) == (now, later + timedelta(seconds=30))


@pytest.mark.parametrize(("asked", "kept"), [(40, 40), (3600, 300)])
def test_an_epic_that_asks_for_patience_is_left_in_peace(circuit, now, asked, kept):
    circuits.note(circuit, [UpstreamUnavailable("epic.throttled", retry_after=asked)], now=now)
    assert stored(circuit).retry_at == now + timedelta(seconds=kept)


def test_a_client_that_epic_does_not_know_counts_as_a_failure(circuit, now):
    circuits.note(circuit, [ConfigurationError("epic.invalid_client")] * 5, now=now)
    assert stored(circuit).error_code == "epic.invalid_client"
    assert stored(circuit).is_open


def test_when_epic_is_back_everything_that_waited_is_due_at_once(circuit, tell, provider, now):
    row = tell(provider, PresenceEvent.Kind.CONNECTED)
    WritebackEvent.objects.filter(pk=row.pk).update(due_at=now + timedelta(minutes=10), attempts=7)
    circuits.note(circuit, [AWAY] * 5, now=now)
    circuits.note(circuit, [None], now=now)
    row.refresh_from_db()
    assert row.due_at == now
    closed = stored(circuit)
    assert (closed.is_open, closed.failures, closed.error_code, closed.accepted_at) == (False, 0, "", now)
