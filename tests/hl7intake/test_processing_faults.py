"""What fails here costs no message: it waits, is tried again, or is set aside."""

import itertools
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from config_portal.models import FhirEndpoint
from core.models import AuditEvent
from hl7intake.errors import AckCode
from hl7intake.models import InboundMessage, RawRetention, SenderSettings
from hl7intake.reader import read
from hl7intake.services import processing, receiving
from hl7intake.services.processing import LEASE, MAX_ATTEMPTS, apply_due
from hl7intake.services.replaying import Replayed, replay
from hl7intake.services.retention import wipe_raw
from hl7intake.tasks import apply_received
from sms.models import SmsMessage
from tests.factories import approve
from tests.hl7intake.conftest import receive_and_apply as receive
from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, change, load
from visits import signals
from visits.models import Visit

State = InboundMessage.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken_receiver():
    """A receiver that fails, as a bug of ours would."""
    is_broken = [True]

    def fail(**_: object) -> None:
        if is_broken[0]:
            raise RuntimeError("RIVERA^ELENA")

    signals.visit_scheduled.connect(fail)
    yield is_broken
    signals.visit_scheduled.disconnect(fail)


def test_our_own_failure_does_not_cost_the_message(sender, now, broken_receiver, caplog):
    acknowledgement = receive(load(NEW), sender=sender, now=now)
    row = InboundMessage.objects.get()

    assert (acknowledgement.code, acknowledgement.state) == (AckCode.ACCEPT, State.RECEIVED)
    assert (row.state, row.raw_bytes, row.error_code) == (State.RECEIVED, load(NEW), "hl7.apply_failed.RuntimeError")
    assert not Visit.objects.exists()
    assert "RIVERA" not in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(raw, 'escape') FROM hl7intake_inboundmessage")
        assert "RIVERA" not in cursor.fetchone()[0]


def test_a_failed_message_takes_effect_when_the_failure_is_over(sender, now, broken_receiver):
    receive(load(NEW), sender=sender, now=now)
    assert apply_due(now=now) == 0
    assert InboundMessage.objects.get().attempts == 1

    broken_receiver[0] = False
    apply_received()
    row = InboundMessage.objects.get()
    assert (row.state, row.raw, row.error_code, row.due_at) == (State.APPLIED, None, "", None)
    assert row.visit == Visit.objects.get()


def try_until_quarantined(now):
    """Try the one waiting message whenever it is due; return the times of all tries."""
    times = [now]
    while (row := InboundMessage.objects.waiting().filter(attempts__gt=0).first()) is not None:
        times.append(row.due_at)
        apply_due(now=row.due_at)
    return times


def test_a_poisonous_message_is_quarantined_within_seconds_and_holds_up_no_other(sender, now, broken_receiver):
    receive(load(NEW), sender=sender, now=now)
    times = try_until_quarantined(now)
    row = InboundMessage.objects.get()

    assert (row.state, row.attempts, row.due_at, len(times)) == (State.QUARANTINED, MAX_ATTEMPTS, None, MAX_ATTEMPTS)
    assert times[-1] - now < timedelta(seconds=10)
    assert row.raw_bytes == load(NEW)
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    broken_receiver[0] = False
    assert receive(load(GROUP), sender=sender, now=now).state == State.APPLIED


def test_messages_about_one_visit_wait_for_the_poisonous_one_before_them_and_then_go_on(sender, now, broken_receiver):
    receive(load(NEW), sender=sender, now=now)
    broken_receiver[0] = False
    assert receive(load(MOVED), sender=sender, now=now).state == State.RECEIVED
    assert receive(load(GROUP), sender=sender, now=now).state == State.APPLIED

    broken_receiver[0] = True
    times = try_until_quarantined(now)
    broken_receiver[0] = False
    apply_due(now=times[-1])
    assert InboundMessage.objects.get(trigger="S13").state == State.APPLIED
    assert Visit.objects.get(visit_type="VV30").starts_at == datetime(2026, 11, 2, 15, 30, tzinfo=UTC)


def test_a_failed_message_takes_effect_before_newer_news_of_its_visit(sender, now, broken_receiver):
    receive(load(NEW), sender=sender, now=now)
    broken_receiver[0] = False
    receive(load(CANCELLED), sender=sender, now=now)
    for _ in range(2):
        apply_due(now=now + timedelta(seconds=1))

    assert list(InboundMessage.objects.in_order().values_list("trigger", "state")) == [
        ("S12", "applied"),
        ("S15", "applied"),
    ]
    assert Visit.objects.get().state == Visit.State.CANCELLED


def test_a_quarantined_message_replayed_after_newer_news_changes_nothing(sender, now, broken_receiver):
    receive(load(NEW), sender=sender, now=now)
    try_until_quarantined(now)
    broken_receiver[0] = False
    receive(load(CANCELLED), sender=sender, now=now)

    assert replay(InboundMessage.objects.all(), actor="dana", now=now) == Replayed(count=1)
    apply_due(now=now)
    assert InboundMessage.objects.get(trigger="S12").state == State.SUPERSEDED
    assert not Visit.objects.exists()


def test_quarantined_messages_are_replayed_in_their_order(sender, now, broken_receiver):
    for raw in (change(load(NEW), ("SCH", 2, "7"), ("PV1", 19, "7")), change(load(MOVED), ("SCH", 2, "7"))):
        receive(change(raw, ("PV1", 19, "7")), sender=sender, now=now)
    try_until_quarantined(now)
    apply_due(now=now)
    try_until_quarantined(now)
    assert InboundMessage.objects.filter(state=State.QUARANTINED).count() == 2
    broken_receiver[0] = False

    assert replay(InboundMessage.objects.order_by("-message_at"), actor="dana", now=now) == Replayed(count=2)
    assert [apply_due(now=now), apply_due(now=now), apply_due(now=now)] == [1, 1, 0]
    assert set(InboundMessage.objects.values_list("state", flat=True)) == {State.APPLIED}
    assert Visit.objects.get().starts_at == datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
    assert AuditEvent.objects.filter(action="message.replayed", actor="dana").count() == 2


def test_a_message_that_kills_its_worker_is_quarantined_too(sender, now, monkeypatch):
    def die(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(processing, "_apply", die)
    receiving.receive(load(NEW), sender=sender, now=now)
    for number in range(MAX_ATTEMPTS):
        at = now + number * LEASE
        with pytest.raises(SystemExit):
            apply_due(now=at)
        assert apply_due(now=at) == 0  # another worker leaves it alone while the first may be at it

    apply_due(now=now + MAX_ATTEMPTS * LEASE)
    assert InboundMessage.objects.get().state == State.QUARANTINED
    assert InboundMessage.objects.get().error_code == "hl7.worker_lost"


def test_a_worker_that_was_too_slow_does_not_apply_a_second_time(sender, now):
    receiving.receive(load(NEW), sender=sender, now=now)
    (claimed,) = processing._claim(now=now, limit=1)
    assert apply_due(now=now + LEASE) == 1

    processing._try(claimed, now=now + LEASE)
    assert InboundMessage.objects.get().attempts == 2
    assert Visit.objects.get().version == 1


def test_a_worker_that_lost_its_claim_has_no_effect(sender, now):
    receiving.receive(load(NEW), sender=sender, now=now)
    (lost,) = processing._claim(now=now, limit=1)
    (held,) = processing._claim(now=now + LEASE, limit=1)

    processing._try(lost, now=now + LEASE)
    assert InboundMessage.objects.get().state == State.RECEIVED
    assert not Visit.objects.exists()
    processing._try(held, now=now + LEASE)
    assert InboundMessage.objects.get().state == State.APPLIED
    assert Visit.objects.get().version == 1


def test_a_message_whose_rules_changed_meanwhile_is_set_aside_at_once(sender, endpoint, now):
    receiving.receive(change(load(NEW), ("SCH", 11, "")), sender=sender, now=now)
    SenderSettings.objects.create(endpoint=endpoint, start_places=["SCH-11"])
    approve(FhirEndpoint.objects.get(pk=endpoint.pk))

    apply_due(now=now)
    row = InboundMessage.objects.get()
    assert (row.state, row.error_code, row.attempts) == (State.QUARANTINED, "hl7.start_missing", 1)


def test_texts_set_aside_are_erased_after_three_days(sender, now, broken_receiver):
    receive(load(NEW), sender=sender, now=now)
    try_until_quarantined(now)
    assert wipe_raw(now=now + timedelta(hours=71)) == 0
    assert wipe_raw(now=now + timedelta(hours=73)) == 1
    assert not InboundMessage.objects.replayable().exists()


def test_a_rejected_text_is_kept_only_where_the_organization_wants_it(sender, endpoint, now):
    bad = change(load(NEW), ("MSH", 9, "SIU^Z02"))
    receive(bad, sender=sender, now=now)
    assert InboundMessage.objects.get().raw is None
    InboundMessage.objects.all().delete()

    RawRetention.objects.create(organization=endpoint.organization, hours=24)
    receive(bad, sender=sender, now=now)
    assert InboundMessage.objects.get().raw_bytes == bad
    assert (wipe_raw(now=now + timedelta(hours=23)), wipe_raw(now=now + timedelta(hours=24))) == (0, 1)
    assert InboundMessage.objects.get().raw is None


def test_bytes_beyond_ascii_survive_until_the_retry(sender, now, broken_receiver):
    raw = load(NEW).replace(b"RIVERA", b"MU\xd1OZ\xff")
    receive(raw, sender=sender, now=now)

    assert InboundMessage.objects.get().raw_bytes == raw


def test_a_database_that_fails_is_never_answered_with_yes(sender, now, monkeypatch, caplog):
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection: RIVERA")

    monkeypatch.setattr(receiving, "store", fail)
    acknowledgement = receive(load(NEW), sender=sender, now=now)

    assert (acknowledgement.code, acknowledgement.state) == (AckCode.ERROR, None)
    assert read(acknowledgement.messages[0]).first("MSA").text(1) == "AE"
    assert read(acknowledgement.messages[0]).first("ERR").text(3) == "207"
    assert "RIVERA" not in caplog.text
    assert {record.levelno for record in caplog.records if record.name == receiving.__name__} == {logging.ERROR}


def test_a_lost_connection_is_tried_once_more(sender, now, monkeypatch):
    store, failures = receiving.store, iter([OperationalError("gone")])

    def flaky(deliveries):
        if (failure := next(failures, None)) is not None:
            raise failure
        store(deliveries)

    monkeypatch.setattr(receiving, "store", flaky)
    assert receive(load(NEW), sender=sender, now=now).code is AckCode.ACCEPT


def test_hl7apy_is_not_loaded_on_the_intake_path():
    program = (
        "import django; django.setup()\n"
        "import sys, hl7intake.management.commands.run_mllp, hl7intake.tasks, hl7intake.admin, hl7intake.urls\n"
        "import ehrconnector.celery\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'hl7apy', 'hl7'}])"
    )
    arguments = [sys.executable, "-c", program]
    outcome = subprocess.run(arguments, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves

    assert outcome.stdout.strip() == "[]"


def test_the_row_is_finished_with_the_visit_or_neither(sender, now, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(processing, "_warnings", fail)
    assert receive(load(NEW), sender=sender, now=now).state == State.RECEIVED
    assert not Visit.objects.exists()
    assert not SmsMessage.objects.exists()
