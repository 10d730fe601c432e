from functools import partial

import pytest
from django.db import transaction

from core import jobs
from ehrconnector.celery import app
from sms.tasks import deliver_due


@pytest.mark.django_db(transaction=True)
def test_a_task_is_sent_only_after_the_commit(redis_client):
    with transaction.atomic():
        jobs.enqueue_after_commit(deliver_due)
        assert redis_client.llen("sms") == 0
    assert redis_client.llen("sms") == 1


@pytest.mark.django_db(transaction=True)
def test_a_task_of_a_failed_transaction_is_never_sent(redis_client):
    with transaction.atomic():
        jobs.enqueue_after_commit(deliver_due)
        transaction.set_rollback(True)
    assert redis_client.llen("sms") == 0


@pytest.mark.django_db(transaction=True)
def test_a_task_for_everything_due_is_woken_once_until_it_looks(redis_client):
    for _ in range(3):
        jobs.wake_after_commit(deliver_due)
    assert redis_client.llen("sms") == 1
    deliver_due()
    jobs.wake_after_commit(deliver_due)
    assert redis_client.llen("sms") == 2


def test_a_lost_broker_costs_nothing_but_time(monkeypatch):
    nowhere = app.connection_for_write("redis://127.0.0.1:1/0")
    monkeypatch.setattr(deliver_due, "apply_async", partial(deliver_due.apply_async, connection=nowhere))
    assert jobs.enqueue(deliver_due) is False
