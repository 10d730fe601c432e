"""Who the patient is leaves no trace: not in the database, logs, Redis or task arguments."""

import logging

import pytest
from django.db import connection
from django.utils import timezone

from hl7intake.models import InboundMessage, RawRetention
from hl7intake.services.processing import apply_due
from hl7intake.services.receiving import receive
from hl7intake.tasks import apply_received
from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, NO_SHOW, PHONE_DELETED, change, load
from visits import signals

pytestmark = pytest.mark.django_db(transaction=True)

# Names, record numbers, birth dates, addresses, mail, and the numbers that are texted.
CANARIES = (
    "RIVERA", "ELENA", "NGUYEN", "MINH", "E40021877", "E40030551", "19840519", "19591203", "BIRCH", "MADISON",
    "elena.rivera", "555-0177", "5550177", "555-0142", "5550163", "OKAFOR", "AMARA", "HALVORSEN",
    "Bring food diary", "482200417", "482200502",
)  # fmt: skip


def everything_in_the_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        dump = []
        for table in tables:
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" t')  # noqa: S608 - names of our tables
            dump.append(cursor.fetchone()[0] or "")
        # A bytea is printed in hexadecimal; look behind that too.
        for table, column in (("hl7intake_inboundmessage", "raw"), ("visits_patientcontact", "phone")):
            cursor.execute(f"SELECT string_agg(encode({column}, 'escape'), chr(10)) FROM {table}")  # noqa: S608
            dump.append(cursor.fetchone()[0] or "")
    return "\n".join(dump)


def everything_in(redis) -> str:
    found = []
    for key in redis.scan_iter():
        kind = redis.type(key)
        found.append(repr(redis.lrange(key, 0, -1) if kind == b"list" else redis.dump(key)))
    return "\n".join(found)


def seen(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def test_no_canary_is_found_anywhere(sender, endpoint, redis_client, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    now = timezone.now()
    for name in (NEW, GROUP, MOVED, PHONE_DELETED, CANCELLED, NO_SHOW):
        receive(load(name), sender=sender, now=now)
    waiting = everything_in_the_database()
    apply_received()
    receive(load(NEW), sender=sender, now=now)
    for bad in (b"hello RIVERA", load(NEW).replace(b"S12", b"Z02"), change(load(NEW), ("SCH", 11, "ELENA"))):
        receive(bad, sender=sender, now=now)

    assert InboundMessage.objects.filter(state=InboundMessage.State.APPLIED).count() == 6
    assert seen(waiting) == []
    assert seen(everything_in_the_database()) == []
    assert seen(everything_in(redis_client)) == []
    assert seen(caplog.text + "".join(capfd.readouterr())) == []


def test_texts_that_are_kept_are_ciphertexts_and_failures_tell_nothing(sender, endpoint, redis_client, caplog, capfd):
    def fail(**_: object) -> None:
        raise RuntimeError("RIVERA^ELENA 5550177")

    caplog.set_level(logging.DEBUG)
    RawRetention.objects.create(organization=endpoint.organization, hours=72)
    signals.visit_scheduled.connect(fail)
    try:
        receive(load(NEW), sender=sender, now=timezone.now())
        apply_due(now=timezone.now())
    finally:
        signals.visit_scheduled.disconnect(fail)
    receive(load(GROUP).replace(b"S12", b"Z02"), sender=sender, now=timezone.now())

    assert InboundMessage.objects.filter(raw__isnull=False).count() == 2
    assert seen(everything_in_the_database()) == []
    assert seen(caplog.text + "".join(capfd.readouterr())) == []
