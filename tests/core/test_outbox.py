import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core import outbox
from core.models import backoff
from sms.models import SmsMessage
from tests.factories import make_visit

NOW = timezone.now()


def due_texts(count):
    visit = make_visit()
    SmsMessage.objects.all().delete()
    return SmsMessage.objects.bulk_create(
        SmsMessage(
            organization=visit.organization, visit=visit, kind="reminder", visit_version=1, contact_revision=1,
            offset_minutes=n, due_at=NOW - timedelta(seconds=count - n), expires_at=NOW + timedelta(hours=1),
        )
        for n in range(count)
    )  # fmt: skip


@pytest.mark.django_db
def test_the_oldest_due_rows_are_claimed_first_and_marked_before_the_call():
    due_texts(3)
    claimed = outbox.claim(SmsMessage.objects.due_before(NOW), now=NOW, limit=2)
    assert [row.offset_minutes for row in claimed] == [0, 1]
    stored = SmsMessage.objects.get(pk=claimed[0].pk)
    assert (stored.state, stored.attempts, stored.attempt_id) == ("sending", 1, claimed[0].attempt_id)


@pytest.mark.django_db
def test_a_claimed_row_is_abandoned_once_its_lease_is_over():
    due_texts(1)
    outbox.claim(SmsMessage.objects.due_before(NOW), now=NOW, lease=timedelta(seconds=90))
    assert not SmsMessage.objects.abandoned_before(NOW + timedelta(seconds=89)).exists()
    assert SmsMessage.objects.abandoned_before(NOW + timedelta(seconds=90)).exists()


@pytest.mark.django_db
def test_whoever_lost_the_claim_changes_nothing():
    due_texts(1)
    (slow,) = outbox.claim(SmsMessage.objects.due_before(NOW), now=NOW)
    outbox.retry_later(slow, now=NOW, error_code="sms.worker_lost", after=0)
    (quick,) = outbox.claim(SmsMessage.objects.due_before(NOW + timedelta(minutes=1)), now=NOW)
    assert not outbox.finish(slow, state="failed", now=NOW)
    assert outbox.finish(quick, state="accepted", now=NOW)
    assert SmsMessage.objects.get().state == "accepted"


@pytest.mark.django_db
def test_a_retry_waits_as_long_as_the_other_system_asked():
    due_texts(1)
    (row,) = outbox.claim(SmsMessage.objects.due_before(NOW), now=NOW)
    outbox.retry_later(row, now=NOW, error_code="acs.throttled", after=30)
    assert SmsMessage.objects.get().due_at == NOW + timedelta(seconds=30)


def test_the_distance_between_attempts_doubles_up_to_a_limit():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 20)] == [5, 10, 20, 600]


@pytest.mark.django_db(transaction=True)
def test_no_two_workers_claim_the_same_row():
    due_texts(60)
    start, claimed, lock = threading.Barrier(4), [], threading.Lock()

    def work():
        start.wait()
        while rows := outbox.claim(SmsMessage.objects.due_before(NOW), now=NOW, limit=5):
            with lock:
                claimed.extend(row.pk for row in rows)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(claimed) == len(set(claimed)) == 60
