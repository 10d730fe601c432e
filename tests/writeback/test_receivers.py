from datetime import timedelta

import pytest
from django.db import transaction

from core import jobs
from meetings.models import PresenceEvent
from meetings.signals import presence_changed
from tests.factories import approve
from tests.writeback.conftest import set_conference
from writeback.models import WritebackEvent

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State


@pytest.fixture(autouse=True)
def enqueued(monkeypatch):
    """Collect what would be sent to the broker."""
    sent = []
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda task, *args: sent.append((task.name, args)))
    return sent


def test_a_connection_is_stored_for_epic(tell, provider, visit, now, enqueued):
    row = tell(provider, Kind.CONNECTED)
    assert (row.kind, row.state, row.sequence) == ("connected", State.PENDING, 1)
    assert (row.visit, row.meeting, row.endpoint) == (visit, provider.meeting, visit.endpoint)
    assert (row.organization, row.occurred_at, row.due_at) == (visit.organization, now, now)
    assert enqueued == [("writeback.deliver", (str(visit.endpoint_id),))]


def test_a_person_is_connected_from_the_lobby_and_told_once_however_they_go_on(tell, provider):
    kinds = [Kind.LOBBY_ENTERED, Kind.CONNECTED, Kind.DISCONNECTED, Kind.LOBBY_ENTERED, Kind.LEFT_LOBBY]
    told = [row.kind if (row := tell(provider, kind)) else None for kind in kinds]
    assert told == ["connected", None, "disconnected", "connected", "disconnected"]


def test_late_news_of_a_time_before_changes_nothing_while_epic_knows_how_things_are(tell, provider, now):
    tell(provider, Kind.LOBBY_ENTERED)
    tell(provider, Kind.LEFT_LOBBY, now + timedelta(seconds=20))
    # Only now we hear that the person had been let in meanwhile; they are gone all the same.
    late = PresenceEvent.objects.create(
        participant=provider, kind=Kind.CONNECTED, sequence=3, at=now + timedelta(seconds=10), created_at=now
    )
    presence_changed.send(sender=PresenceEvent, participant=provider, event=late, now=now)
    assert tell(provider, Kind.DISCONNECTED, now + timedelta(seconds=20)) is None
    assert [row.kind for row in WritebackEvent.objects.order_by("sequence")] == ["connected", "disconnected"]


def test_late_news_that_epic_was_told_wrongly_is_told(tell, provider, now):
    tell(provider, Kind.CONNECTED)
    tell(provider, Kind.DISCONNECTED, now + timedelta(seconds=20))
    # Another device of the person was there all the time.
    row = tell(provider, Kind.CONNECTED, now + timedelta(seconds=10))
    assert row.kind == "connected"


def test_a_site_may_count_only_the_call(tell, provider, visit):
    visit.endpoint.connection_status = {"connected_from": "call"}
    visit.endpoint.save()
    approve(visit.endpoint)
    told = [row.kind if (row := tell(provider, kind)) else None for kind in (Kind.LOBBY_ENTERED, Kind.CONNECTED)]
    assert told == [None, "connected"]


def test_epic_is_not_told_of_the_end_of_what_it_never_heard_of(tell, provider, enqueued):
    assert tell(provider, Kind.LEFT_LOBBY) is None
    assert enqueued == []


def test_the_same_news_twice_is_one_row(tell, provider, now):
    tell(provider, Kind.CONNECTED)
    presence_changed.send(sender=PresenceEvent, participant=provider, event=provider.presence_events.get(), now=now)
    assert WritebackEvent.objects.count() == 1


def test_without_a_conference_id_the_row_is_kept_and_visible(tell, provider, visit, enqueued):
    set_conference(visit, None)
    row = tell(provider, Kind.CONNECTED)
    assert (row.state, row.error_code) == (State.NOT_SENDABLE, "writeback.no_conference_id")
    assert enqueued == []


def test_news_with_a_conference_id_releases_what_waited_for_it(tell, provider, visit):
    set_conference(visit, None)
    first = tell(provider, Kind.CONNECTED)
    set_conference(visit, "1853")
    tell(provider, Kind.DISCONNECTED)
    first.refresh_from_db()
    assert (first.state, first.error_code) == (State.PENDING, "")


@pytest.mark.django_db(transaction=True)
def test_presence_and_write_back_are_stored_together_or_not_at_all(tell, provider):
    with transaction.atomic():
        assert tell(provider, Kind.CONNECTED) is not None
        transaction.set_rollback(True)
    assert not WritebackEvent.objects.exists()
    assert not provider.presence_events.exists()


@pytest.mark.django_db(transaction=True)
def test_an_absent_broker_does_not_lose_the_row(tell, provider, monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", jobs.wake_after_commit)
    monkeypatch.setattr("core.jobs.enqueue", lambda *_: False)
    with transaction.atomic():
        row = tell(provider, Kind.CONNECTED)
    assert WritebackEvent.objects.get(pk=row.pk).state == State.PENDING
