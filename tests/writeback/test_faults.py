"""An Epic that fails in every way it can, and couriers that die: in the end it knows what really happened, in order.

Seeded. A short run in CI, a long one under ``make chaos``.
"""

import random
import threading
from collections import defaultdict
from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import OutcomeUnknown, UpstreamUnavailable
from meetings.models import Participant, PresenceEvent
from writeback.models import WritebackEvent
from writeback.services import courier, messages, outbox

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State


class Died(BaseException):
    """The courier's process ends, in the middle of its work."""


class Epic:
    """Takes statuses, fails by chance, and remembers what it took; ``doubts`` are calls whose answer was lost."""

    def __init__(self, chance: random.Random) -> None:
        self.taken: dict[str, list[bool]] = defaultdict(list)
        self.doubts: dict[str, int] = defaultdict(int)
        self.is_away = False
        self._chance = chance
        self._lock = threading.Lock()

    def take(self, _session, _connection, change, **_):
        with self._lock:
            lot = self._chance.random()
            if self.is_away or lot < 0.15:
                raise UpstreamUnavailable("epic.failing")
            self.taken[change.external_id].append(change.is_connected)
            if lot < 0.25:
                self.doubts[change.external_id] += 1
                raise OutcomeUnknown("epic.no_answer")
            return 200


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


def play(seed, *, people, changes, deaths, visit, add, tell, monkeypatch):
    """Let people come and go while Epic fails and couriers die; return Epic, and who did what."""
    chance = random.Random(seed)  # noqa: S311 - a seeded run, no secret
    epic = Epic(chance)
    monkeypatch.setattr(messages, "set_external_connection_status", epic.take)
    crowd = [add(Participant.Role.PATIENT) for _ in range(people)]
    happened = defaultdict(list)
    now = timezone.now()
    died = 0
    for step in range(changes):
        person = chance.choice(crowd)
        is_in = not happened[person.pk] or not happened[person.pk][-1]
        happened[person.pk].append(is_in)
        tell(person, Kind.CONNECTED if is_in else Kind.DISCONNECTED, now + timedelta(seconds=step))
        epic.is_away = changes // 3 < step < changes // 2  # a long outage
        now += timedelta(seconds=chance.uniform(0, 20))
        if died < deaths and chance.random() < 0.3:
            died += die(visit.endpoint, now, monkeypatch)
        else:
            courier.deliver(visit.endpoint, clock=lambda at=now: at)
        outbox.recover_abandoned(now=now)
    settle(visit.endpoint, now)
    assert died == deaths
    return epic, happened


def die(endpoint, now, monkeypatch):
    """Let a courier make its calls and end before it writes down what became of them; 1 when it had any."""

    def end(*_, **__):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(courier, "record", end)
        try:
            courier.deliver(endpoint, clock=lambda: now)
        except Died:
            return 1
    return 0


def settle(endpoint, now):
    """Go on until nothing is open, as the sweep does."""
    for _ in range(500):
        if not WritebackEvent.objects.filter(state__in=WritebackEvent.OPEN).exists():
            return
        now += timedelta(seconds=31)
        outbox.recover_abandoned(now=now)
        courier.deliver(endpoint, clock=lambda at=now: at)
    pytest.fail("something is still open")


def without_repetitions(statuses):
    return [status for index, status in enumerate(statuses) if index == 0 or status != statuses[index - 1]]


def judge(epic, happened, deaths):
    """Compare Epic's own ledger with what really happened."""
    assert set(WritebackEvent.objects.values_list("state", flat=True)) == {State.ACCEPTED}
    repeated = 0
    for person, changes in happened.items():
        taken = epic.taken[str(person)]
        assert without_repetitions(taken) == changes  # everything, in order
        repeated += len(taken) - len(changes)
    doubts = sum(epic.doubts.values())
    assert repeated <= doubts + 16 * deaths  # nothing twice but what nobody can know


@pytest.mark.parametrize("seed", [20261124, 7])
def test_epic_knows_in_the_end_what_happened(seed, visit, add, tell, monkeypatch):
    epic, happened = play(
        seed, people=5, changes=60, deaths=5, visit=visit, add=add, tell=tell, monkeypatch=monkeypatch
    )
    judge(epic, happened, deaths=5)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(4))
def test_epic_knows_in_the_end_what_happened_however_long_it_goes_on(seed, visit, add, tell, monkeypatch):
    epic, happened = play(
        seed, people=40, changes=800, deaths=100, visit=visit, add=add, tell=tell, monkeypatch=monkeypatch
    )
    judge(epic, happened, deaths=100)
