"""Exported heads find even a chain that somebody rebuilt as a whole."""

import hashlib
import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core import audit, audit_heads
from core.errors import InvalidMessage
from core.models import AuditChain, AuditEvent

pytestmark = pytest.mark.django_db
ORGANIZATION = uuid.uuid4()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "heads.jsonl"


def record(count=3):
    for number in range(count):
        audit.record("test.done", organization_id=ORGANIZATION, actor="dana", count=number)


def test_every_chain_gives_one_line(file):
    record()
    audit.record("test.other", organization_id=uuid.uuid4())
    assert audit_heads.export(now=timezone.now(), path=str(file)) == 2
    heads = list(audit_heads.read(file.read_text().splitlines()))
    assert {head.sequence for head in heads} == {1, 3}
    assert all(head.holds for head in heads)


def test_the_file_grows_and_older_heads_still_hold(file):
    record()
    audit_heads.export(now=timezone.now(), path=str(file))
    record()
    audit_heads.export(now=timezone.now(), path=str(file))
    assert [head.sequence for head in audit_heads.read(file.read_text().splitlines())] == [3, 6]
    assert all(head.holds for head in audit_heads.read(file.read_text().splitlines()))


def test_a_rebuilt_chain_verifies_by_itself_but_not_against_the_exported_head(file):
    record()
    audit_heads.export(now=timezone.now(), path=str(file))
    rebuild(actor="mallory")
    assert audit.verify_chain(ORGANIZATION).is_intact
    assert [head.holds for head in audit_heads.read(file.read_text().splitlines())] == [False]


def rebuild(*, actor):
    """Do what a database superuser could: write every event anew, with digests that fit."""
    events = list(AuditEvent.objects.order_by("sequence"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditevent DISABLE TRIGGER ALL")
        previous = b""
        for event in events:
            event.actor, event.previous = actor, previous
            event.digest = previous = audit._digest(event)
            event.save()
        cursor.execute("ALTER TABLE core_auditevent ENABLE TRIGGER ALL")
    AuditChain.objects.update(head=previous)
    assert len(hashlib.sha256().digest()) == len(previous)


def test_heads_are_exported_once_a_day(file):
    record()
    now = timezone.now().replace(hour=1)
    assert audit_heads.export_once_a_day(now=now, path=str(file)) == 1
    assert audit_heads.export_once_a_day(now=now + timedelta(hours=2), path=str(file)) == 0
    assert audit_heads.export_once_a_day(now=now + timedelta(days=1), path=str(file)) == 1
    assert len(file.read_text().splitlines()) == 2


def test_heads_are_in_the_log_whatever_becomes_of_the_file(caplog):
    record()
    with caplog.at_level("INFO", logger="core.audit_heads"):
        audit_heads.export(now=timezone.now())
    head = bytes(AuditChain.objects.get().head).hex()
    assert f"audit head {ORGANIZATION} 3 {head}" in caplog.text


@pytest.mark.parametrize("line", ["no json", "[]", "{}", json.dumps({"organization": "x"})])
def test_a_line_that_is_no_head_is_named(line):
    with pytest.raises(InvalidMessage, match=r"audit\.heads_unreadable"):
        list(audit_heads.read(["", line]))
