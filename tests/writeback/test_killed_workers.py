"""Workers are killed with ``kill -9`` while they tell Epic: it knows in the end what happened, in order.

The EHR is a process of its own, whose ledger is the witness. A short run here, a long one under ``make chaos``.
"""

import os
import random
import signal
import threading
from collections import defaultdict
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from benchmarks import ehr_stub
from epic.connection import SmartEndpoints
from meetings.models import Participant, PresenceEvent
from tests import factories
from tests.forking import Forker
from tests.waiting import until
from tests.writeback.conftest import set_conference
from writeback.models import WritebackEvent

pytestmark = pytest.mark.django_db(transaction=True)
Kind, State = PresenceEvent.Kind, WritebackEvent.State
SEED = 20261129
AT_ONCE = 16  # calls that may be open when a worker dies
MOMENT = threading.Event()


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


@pytest.fixture
def ehr():
    with ehr_stub.running() as address:
        yield address


@pytest.fixture
def visit(ehr):
    """A visit at the EHR whose ledger is the witness."""
    endpoint = factories.make_endpoint(approved=False, with_sms=False, base_url=f"{ehr}/api/FHIR/R4")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    addresses = {name: f"{ehr}/oauth2/{name.split('_')[0]}" for name in names}
    factories.approve(endpoint, smart=SmartEndpoints(issuer=f"{ehr}/oauth2", **addresses))
    visit = factories.make_visit(endpoint)
    set_conference(visit, "1853")
    return visit


@pytest.fixture
def workers():
    forker = Forker("tests.writeback.killed_courier")
    yield forker
    forker.stop()


def come_and_go(add, tell, *, people, changes):
    """Let people come and go; return the statuses that Epic must know of each, in order."""
    now = timezone.now()
    expected = {}
    for _ in range(people):
        person = add(Participant.Role.PATIENT)
        for step in range(changes):
            tell(person, Kind.DISCONNECTED if step % 2 else Kind.CONNECTED, now + timedelta(seconds=step))
        expected[str(person.pk)] = ["2" if step % 2 else "1" for step in range(changes)]
    return expected


def kill_again_and_again(workers, *, kills):
    """Kill workers at moments by chance, most of them in the middle of calls."""
    dice = random.Random(SEED)  # noqa: S311 - seeded on purpose
    for _ in range(kills):
        pid = workers.start()
        MOMENT.wait(dice.uniform(0.1, 0.8))  # the moment of death is the fault itself
        os.kill(pid, signal.SIGKILL)


def judge(ehr, expected, *, kills):
    told = defaultdict(list)
    for person, status, _ in requests.get(f"{ehr}/ledger", timeout=30).json():
        told[person].append(status)
    in_order = {
        person: [status for index, status in enumerate(heard) if index == 0 or status != heard[index - 1]]
        for person, heard in told.items()
    }
    assert in_order == expected  # everything, of everybody, in order
    calls, changes = sum(map(len, told.values())), sum(map(len, expected.values()))
    assert calls - changes <= AT_ONCE * kills  # again only what was open when a worker died


def play(ehr, add, tell, workers, *, people, changes, kills, seconds):
    expected = come_and_go(add, tell, people=people, changes=changes)
    kill_again_and_again(workers, kills=kills)
    workers.start()
    until(lambda: not WritebackEvent.objects.exclude(state=State.ACCEPTED).exists(), seconds=seconds)
    judge(ehr, expected, kills=kills)


def test_workers_are_killed_while_they_tell_epic(ehr, visit, add, tell, workers):
    play(ehr, add, tell, workers, people=12, changes=8, kills=6, seconds=120)


@pytest.mark.chaos
def test_a_hundred_workers_are_killed_while_they_tell_epic(ehr, visit, add, tell, workers):
    play(ehr, add, tell, workers, people=100, changes=40, kills=100, seconds=900)
