import logging
import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from meetings.models import Participant
from meetings.services import live, participants
from tests.meetings.rows import make_meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listen(redis_client):
    """Return what is published on the channel of a visit: a function that waits for one message."""
    subscribers = []

    def listening(visit_id):
        subscriber = redis_client.pubsub()
        subscriber.subscribe(live.channel_of(visit_id))
        assert subscriber.get_message(timeout=5)["type"] == "subscribe"
        subscribers.append(subscriber)
        return subscriber

    yield listening
    for subscriber in subscribers:
        subscriber.close()


def test_watching_pages_hear_that_somebody_is_on_the_way(listen):
    meeting = make_meeting()
    subscriber = listen(meeting.visit_id)
    participants.expect(meeting, role=Participant.Role.PATIENT, ehr_user_id="E1", now=timezone.now())
    assert subscriber.get_message(timeout=5)["data"] == b"changed"


def test_nothing_is_published_before_the_commit_or_without_one(listen):
    visit_id = uuid.uuid4()
    subscriber = listen(visit_id)
    with transaction.atomic():
        live.announce(visit_id)
        assert subscriber.get_message(timeout=0.2) is None
    assert subscriber.get_message(timeout=5)["data"] == b"changed"
    with transaction.atomic():
        live.announce(visit_id)
        transaction.set_rollback(True)
    assert subscriber.get_message(timeout=0.2) is None


def test_redis_being_away_hurts_nobody(settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with caplog.at_level(logging.WARNING):
        live.announce(uuid.uuid4())
    assert "pages not told" in caplog.messages
