"""Two workers on two connections of a real PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from core import outbox
from meetings.models import PresenceEvent
from writeback.models import WritebackEvent

pytestmark = pytest.mark.django_db(transaction=True)
Kind, State = PresenceEvent.Kind, WritebackEvent.State
PEOPLE, CHANGES, WORKERS = 6, 4, 4


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


def on_own_connection(work):
    """Call ``work`` and close the connection that this thread got for it."""
    try:
        return work()
    finally:
        connection.close()


def claim(now, limit=10):
    return outbox.claim(WritebackEvent.objects.claimable(now), now=now, limit=limit)


def test_a_second_worker_passes_over_what_the_first_is_claiming(tell, provider, add, now):
    patient = add("patient")
    first = tell(provider, Kind.CONNECTED)
    tell(provider, Kind.DISCONNECTED)
    other = tell(patient, Kind.CONNECTED)
    with transaction.atomic():
        # The first worker has locked its row and has not committed "sending" yet.
        assert WritebackEvent.objects.select_for_update().get(pk=first.pk)
        with ThreadPoolExecutor(1) as second_worker:
            claimed = second_worker.submit(on_own_connection, lambda: claim(now)).result(timeout=10)
        assert claimed == [other]
    assert claim(now) == [first]


def test_many_workers_send_everything_once_and_each_person_in_order(tell, add, now):
    people = [add("patient") for _ in range(PEOPLE)]
    for kind in (Kind.CONNECTED, Kind.DISCONNECTED) * (CHANGES // 2):
        for person in people:
            tell(person, kind)
    sent = send_with_many_workers(now)
    assert len(sent) == len(set(sent)) == PEOPLE * CHANGES
    for person in people:
        told = [sequence for participant, sequence in sent if participant == person.pk]
        assert told == sorted(told)


def send_with_many_workers(now):
    """Let workers that start together send everything; return participant and sequence as they were sent."""
    sent, barrier, lock = [], threading.Barrier(WORKERS), threading.Lock()

    def send_all():
        barrier.wait(timeout=10)
        while WritebackEvent.objects.filter(state__in=WritebackEvent.OPEN).exists():
            for row in claim(now, limit=2):
                with lock:
                    sent.append((row.participant_id, row.sequence))
                outbox.finish(row, state=State.ACCEPTED, now=now)

    with ThreadPoolExecutor(WORKERS) as workers:
        for done in [workers.submit(on_own_connection, send_all) for _ in range(WORKERS)]:
            done.result(timeout=30)
    return sent
