import uuid

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from core import audit
from core.models import AuditChain, AuditEvent

pytestmark = pytest.mark.django_db
ORGANIZATION = uuid.uuid4()


def record_three():
    return [audit.record(f"test.{n}", organization_id=ORGANIZATION, actor="dana", count=n) for n in range(3)]


def without_trigger(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditevent DISABLE TRIGGER ALL")
        cursor.execute(sql, values)
        cursor.execute("ALTER TABLE core_auditevent ENABLE TRIGGER ALL")


def test_an_untouched_chain_is_intact():
    record_three()
    report = audit.verify_chain(ORGANIZATION)
    assert report.is_intact
    assert report.checked == 3


def test_organizations_have_chains_of_their_own():
    record_three()
    other = audit.record("test.other", organization_id=uuid.uuid4())
    assert other.sequence == 1


@pytest.mark.parametrize(
    ("sql", "broken_at"),
    [
        ("UPDATE core_auditevent SET actor = 'somebody else' WHERE sequence = 2", 2),
        ("UPDATE core_auditevent SET data = '{\"count\": 7}' WHERE sequence = 1", 1),
        ("DELETE FROM core_auditevent WHERE sequence = 2", 2),
        ("DELETE FROM core_auditevent WHERE sequence = 3", 3),
    ],
)
def test_a_changed_or_missing_event_is_found(sql, broken_at):
    record_three()
    without_trigger(sql)
    assert audit.verify_chain(ORGANIZATION).broken_at == broken_at


def test_swapped_events_are_found():
    record_three()
    without_trigger("UPDATE core_auditevent SET sequence = 9 WHERE sequence = 1")
    without_trigger("UPDATE core_auditevent SET sequence = 1 WHERE sequence = 2")
    without_trigger("UPDATE core_auditevent SET sequence = 2 WHERE sequence = 9")
    assert audit.verify_chain(ORGANIZATION).broken_at == 1


@pytest.mark.parametrize("sql", ["UPDATE core_auditevent SET actor = 'x'", "DELETE FROM core_auditevent"])
def test_the_database_refuses_to_change_the_trail(sql):
    record_three()
    with pytest.raises(ProgrammingError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditEvent.objects.filter(organization_id=ORGANIZATION).count() == 3


def test_an_event_of_a_failed_transaction_leaves_no_gap():
    with transaction.atomic():
        audit.record("test.lost", organization_id=ORGANIZATION)
        transaction.set_rollback(True)
    audit.record("test.kept", organization_id=ORGANIZATION)
    assert audit.verify_chain(ORGANIZATION).is_intact
    assert AuditChain.objects.get(pk=ORGANIZATION).sequence == 1
