from datetime import timedelta

import pytest
from celery.signals import before_task_publish
from django.db import DatabaseError
from django.utils import timezone

from core import health, heartbeat, tasks
from core.models import Heartbeat

pytestmark = pytest.mark.django_db
PARTS = {"database", "redis", "worker", "beat", "mllp"}


@pytest.fixture
def everybody_alive():
    for name in (heartbeat.WORKER, heartbeat.BEAT, heartbeat.MLLP):
        heartbeat.beat(name)


def test_the_process_says_that_it_lives(client):
    assert client.get("/healthz").status_code == 200


@pytest.mark.usefixtures("everybody_alive")
def test_everything_working_is_ready(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json()["parts"]) == PARTS


@pytest.mark.usefixtures("everybody_alive")
@pytest.mark.parametrize("name", [heartbeat.WORKER, heartbeat.BEAT, heartbeat.MLLP])
def test_a_process_not_heard_of_for_a_minute_is_named(client, name):
    Heartbeat.objects.filter(name=name).update(at=timezone.now() - timedelta(seconds=61))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [part for part, works in answer.json()["parts"].items() if not works] == [name]


@pytest.mark.usefixtures("everybody_alive")
def test_a_lost_redis_is_named(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"] is False


def test_a_lost_database_fails_everything_that_needs_it(monkeypatch):
    def away():
        raise DatabaseError

    monkeypatch.setattr(health.connection, "cursor", away)
    parts = health.readiness()
    assert parts == {"database": False, "redis": True, "worker": False, "beat": False, "mllp": False}


def test_the_pulse_leaves_a_heartbeat_of_the_worker():
    tasks.pulse()
    assert heartbeat.is_alive(heartbeat.WORKER, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_the_scheduler_leaves_one_when_it_publishes_the_pulse_and_does_so_at_once(redis_client):
    tasks.watch_the_scheduler()
    before_task_publish.disconnect(tasks._heartbeat_of_beat, sender=tasks.PULSE)
    assert heartbeat.is_alive(heartbeat.BEAT, now=timezone.now())
    assert redis_client.llen("default") == 1
