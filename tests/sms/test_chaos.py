"""What breaks, broken on purpose while texts are sent: none is lost, none comes twice. The ledger is the witness.

Short and seeded here; ``make chaos`` runs the long ones.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from ehrconnector.stack.account import server_account
from ehrconnector.stack.databases import ensure_database
from ehrconnector.stack.embedded import Postgres
from ehrconnector.stack.folder import DataFolder
from sms import tasks
from sms.models import PhoneNumber, SmsMessage
from sms.services import sending
from tests.factories import approve, make_endpoint, make_scheduled, make_sms_configuration
from tests.forking import Forker
from tests.sms.ledgers import AcsLedger, TwilioLedger
from tests.sms.supplier import Supplier as Listener
from tests.waiting import until
from visits.models import Visit
from visits.services.scheduling import ScheduledPerson, end_visit, schedule_visit

pytestmark = pytest.mark.django_db(transaction=True)
State = SmsMessage.State
SEED = 20261124


class Witness:
    """A supplier with a ledger, and workers that send to it."""

    def __init__(self, ledger, name, workers):
        self.ledger = ledger
        self.name = name
        self.workers = workers

    def sent(self):
        return SmsMessage.objects.filter(state=State.ACCEPTED).count()


@pytest.fixture
def witness(request, settings):
    """A supplier of the kind and with the faults that the test asks for."""
    name, fault = request.param if isinstance(request.param, tuple) else (request.param, lambda _n: "")
    ledger = AcsLedger(fault) if name == "acs" else TwilioLedger(fault)
    listener = Listener(ledger.answer)
    settings.ACS_ENDPOINT = settings.TWILIO_API_BASE_URL = listener.url
    workers = Forker("tests.sms.chaos_worker", ACS_ENDPOINT=listener.url, TWILIO_API_BASE_URL=listener.url)
    yield Witness(ledger, name, workers)
    workers.stop()
    listener.close()


def book(count, supplier):
    """Book ``count`` visits, each of which is confirmed by one text to a phone of its own."""
    endpoint = make_endpoint(with_sms=False, approved=False)
    make_sms_configuration(endpoint, supplier=supplier, reminder_minutes=[])
    PhoneNumber.objects.update(per_minute=1_000_000)
    approve(endpoint)
    now = timezone.now()
    for n in range(count):
        people = (ScheduledPerson(record_number=f"E{n}", phone=f"+1608{5_500_000 + n:07d}"),)
        schedule_visit(endpoint, make_scheduled(session_id=str(n), people=people), now=now)
    return endpoint


def check(witness, count):
    assert SmsMessage.objects.filter(state=State.ACCEPTED).count() == count
    texts = witness.ledger.for_each_phone
    assert len(texts) == count, "a text was lost"
    assert set(texts.values()) == {1}, "a phone got a text twice"


def kill_again_and_again(witness, *, texts, kills):
    book(texts, witness.name)
    dice = random.Random(SEED)  # noqa: S311 - seeded on purpose
    for _ in range(kills):
        pid = witness.workers.start()
        time.sleep(dice.uniform(0.02, 0.5))  # the moment of death is the fault itself
        os.kill(pid, signal.SIGKILL)
    witness.workers.start()
    until(lambda: witness.sent() == texts, seconds=120)
    check(witness, texts)


@pytest.mark.parametrize("witness", ["acs", "twilio"], indirect=True)
def test_workers_are_killed_while_they_send(witness):
    kill_again_and_again(witness, texts=60, kills=8)


@pytest.mark.chaos
@pytest.mark.parametrize("witness", ["acs", "twilio"], indirect=True)
def test_two_hundred_kills_over_two_thousand_texts(witness):
    kill_again_and_again(witness, texts=2000, kills=200)


def faulty(seed, names, *, calls):
    """Return what goes wrong with each of the first ``calls`` calls: something with every second one."""
    dice = random.Random(seed)  # noqa: S311 - seeded on purpose
    plan = [dice.choice(names) if dice.random() < 0.5 else "" for _ in range(calls)]
    return lambda n: plan[n - 1] if n <= calls else ""


FAULTS = ["busy", "error", "hang", "broken", "slow"]


@pytest.mark.parametrize(
    "witness",
    [(name, faulty(SEED, FAULTS, calls=30)) for name in ("acs", "twilio")],
    indirect=True,
    ids=["acs", "twilio"],
)
def test_a_supplier_is_busy_broken_slow_or_silent(witness):
    book(25, witness.name)
    witness.workers.start()
    witness.workers.start()
    until(lambda: witness.sent() == 25, seconds=60)
    check(witness, 25)


@pytest.mark.chaos
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "witness",
    [(name, faulty(SEED, ["x"], calls=0)) for name in ("acs", "twilio")],
    indirect=True,
    ids=["acs", "twilio"],
)
def test_five_hundred_texts_with_one_kind_of_fault(witness, fault):
    witness.ledger.fault = faulty(SEED, [fault], calls=500)
    book(500, witness.name)
    for _ in range(2):
        witness.workers.start()
    until(lambda: witness.sent() == 500, seconds=400)
    check(witness, 500)


@pytest.mark.parametrize("witness", ["acs"], indirect=True)
def test_two_schedulers_and_four_workers_send_each_text_once(witness):
    book(60, witness.name)
    for _ in range(4):
        witness.workers.start()
    until(lambda: witness.sent() == 60, seconds=60)
    check(witness, 60)


@pytest.mark.parametrize("witness", ["twilio"], indirect=True)
def test_the_database_drops_every_connection_again_and_again(witness):
    book(60, witness.name)
    witness.workers.start()
    for _ in range(6):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.15)  # between two blows
    until(lambda: witness.sent() == 60, seconds=60)
    check(witness, 60)


@pytest.mark.chaos
@pytest.mark.parametrize("witness", ["twilio"], indirect=True)
def test_the_database_server_is_killed_while_texts_are_sent(witness):
    texts, kills = 300, 15
    folder = DataFolder.throw_away(server_account())
    home = folder.servers_home(server_account())
    server = Postgres(home, account=server_account(), is_durable=True, sink=lambda _line: None)
    server.start()
    try:
        url = server.url("connector")
        ensure_database(url)
        witness.workers.env["DATABASE_URL"] = url
        seed = [sys.executable, "-m", "tests.sms.chaos_seed", str(texts), witness.name]
        subprocess.run(seed, env=witness.workers.env, check=True)  # noqa: S603 - built above
        witness.workers.start()
        dice = random.Random(SEED)  # noqa: S311 - seeded on purpose
        for _ in range(kills):
            time.sleep(dice.uniform(0.1, 0.8))  # the moment of death is the fault itself
            port = urlsplit(url).port
            server.kill()
            server = Postgres(home, account=server_account(), is_durable=True, sink=lambda _line: None, port=port)
            server.start()
        accepted = "SELECT count(*) FROM sms_smsmessage WHERE state = 'accepted'"
        with psycopg.connect(url, autocommit=True) as own:
            until(lambda: own.execute(accepted).fetchone() == (texts,), seconds=240)
        assert len(witness.ledger.for_each_phone) == texts, "a text was lost"
        assert set(witness.ledger.for_each_phone.values()) == {1}, "a phone got a text twice"
    finally:
        witness.workers.stop()
        server.stop()
        folder.remove()


@pytest.mark.parametrize("witness", ["acs"], indirect=True)
def test_redis_is_emptied_while_texts_are_due(witness, redis_client):
    flushed_while_due(witness, redis_client, texts=40)


@pytest.mark.chaos
@pytest.mark.parametrize("witness", ["acs"], indirect=True)
def test_redis_is_emptied_with_a_thousand_due(witness, redis_client):
    flushed_while_due(witness, redis_client, texts=1000)


def flushed_while_due(witness, redis_client, *, texts):
    book(texts, witness.name)
    assert redis_client.llen("sms") > 0  # the wake-ups that are lost now
    redis_client.flushall()
    began = time.monotonic()
    tasks.deliver_due()  # the next tick of the schedule
    until(lambda: tasks.deliver_due() is None and witness.sent() == texts, seconds=120)
    assert time.monotonic() - began < 120
    check(witness, texts)


@pytest.mark.parametrize("witness", ["acs"], indirect=True)
def test_the_clock_goes_back_and_forward(witness):
    book(10, witness.name)
    now = timezone.now()
    SmsMessage.objects.filter(pk__in=SmsMessage.objects.values("pk")[:5]).update(expires_at=now + timedelta(minutes=30))
    assert sending.deliver_due(now=now - timedelta(hours=1)) == 0  # not due yet, by that clock
    first = SmsMessage.objects.filter(expires_at__gt=now + timedelta(hours=1)).first()
    SmsMessage.objects.exclude(pk=first.pk).update(due_at=now + timedelta(minutes=5))
    assert sending.deliver_due(now=now) == 1
    assert sending.deliver_due(now=now - timedelta(hours=1)) == 0
    sending.deliver_due(now=now + timedelta(hours=1))
    states = list(SmsMessage.objects.values_list("state", flat=True))
    assert (states.count(State.ACCEPTED), states.count(State.EXPIRED)) == (5, 5)
    assert set(witness.ledger.for_each_phone.values()) == {1}


def race(endpoint, n, *, lasts):
    """Cancel a visit while its text is claimed; return when each happened and whether the text may go.

    :param lasts: seconds that a cancellation takes here; the claim begins somewhere around its end.
    """
    barrier, seen = threading.Barrier(2), {}
    delay = random.Random(SEED + n).uniform(0, 2 * lasts)  # noqa: S311 - seeded on purpose

    def cancel():
        try:
            barrier.wait()
            began = time.monotonic()
            end_visit(endpoint, str(n), state=Visit.State.CANCELLED, changed_at=timezone.now(), now=timezone.now())
            seen["committed"] = time.monotonic()
            seen["lasted"] = seen["committed"] - began
        finally:
            connection.close()

    def claim():
        try:
            barrier.wait()
            time.sleep(delay)  # so that either may come first
            seen["claimed"] = time.monotonic()
            claimed = sending.claim(now=timezone.now(), limit=10)
            seen["going"] = [item.message.pk for item in sending.prepare(claimed, now=timezone.now())]
        finally:
            connection.close()

    threads = [threading.Thread(target=cancel), threading.Thread(target=claim)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def races(witness, trials):
    endpoint = book(0, witness.name)
    came_first, lasts = {"cancel": 0, "claim": 0}, 0.01
    for n in range(trials):
        people = (ScheduledPerson(record_number=f"E{n}", phone=f"+1608{5_500_000 + n:07d}"),)
        schedule_visit(endpoint, make_scheduled(session_id=str(n), people=people), now=timezone.now())
        seen = race(endpoint, n, lasts=lasts)
        lasts = (lasts + seen["lasted"]) / 2
        is_after = seen["claimed"] > seen["committed"]
        came_first["cancel" if is_after else "claim"] += 1
        assert not (is_after and seen["going"]), "a text was claimed after the cancellation was committed"
        text = SmsMessage.objects.get(kind="scheduled")
        assert text.state == (State.SENDING if seen["going"] else State.WITHDRAWN)
        Visit.objects.all().delete()
    assert min(came_first.values()) > 0, "the race was none"


@pytest.mark.parametrize("witness", ["acs"], indirect=True)
def test_a_cancellation_races_with_the_claim(witness):
    races(witness, 40)


@pytest.mark.chaos
@pytest.mark.parametrize("witness", ["acs"], indirect=True)
def test_a_cancellation_races_with_the_claim_five_hundred_times(witness):
    races(witness, 500)
