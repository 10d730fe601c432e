from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from core.jobs import QUEUES
from meetings import tasks
from meetings.models import InboundNotification, Meeting, Subscription
from meetings.services import notifications, preparing, subscriptions, synchronizing
from meetings.services.meetings import ensure_meeting
from tests.factories import make_visit
from tests.meetings.rows import make_meeting, make_subscription
from visits.models import Visit
from visits.services.scheduling import end_visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(monkeypatch):
    """What the services were asked to do, by primary key."""
    seen = []
    monkeypatch.setattr(subscriptions, "advance", lambda row, *, now: seen.append(row.pk))
    monkeypatch.setattr(synchronizing, "bring_in_line", lambda row, *, now: seen.append(row.pk))
    monkeypatch.setattr(notifications, "process", lambda row, *, now: seen.append(row.pk))
    return seen


def stored() -> InboundNotification:
    body = b'{"value": [{"subscriptionId": "s"}]}'
    notification = notifications.store(body, channel="notifications", now=timezone.now())
    assert notification is not None
    return notification


def test_a_worker_that_makes_a_meeting_subscribes_to_it_in_the_same_task(peer, monkeypatch):
    advanced = []
    monkeypatch.setattr(subscriptions, "advance", lambda row, *, now: advanced.append(row.meeting_id))
    preparing.prepare(make_visit(), now=timezone.now())
    meeting = Meeting.objects.get()
    tasks.synchronize(str(meeting.pk))
    assert advanced == [meeting.pk]


@pytest.mark.django_db(transaction=True)
def test_who_joins_while_a_worker_makes_the_meeting_waits_until_it_is_listened_to(peer, monkeypatch):
    joined = Event()

    def join(visit: Visit) -> Meeting:
        try:
            meeting = ensure_meeting(visit, now=timezone.now())
            joined.set()
            return meeting
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        joining = []

        def advance(row: Subscription, *, now: datetime) -> None:
            Meeting.objects.filter(pk=row.meeting_id).update(state=Meeting.State.CREATING)  # so that a join must wait
            joining.append(threads.submit(join, visit))
            assert not joined.wait(0.5)
            Meeting.objects.filter(pk=row.meeting_id).update(state=Meeting.State.READY)

        monkeypatch.setattr(subscriptions, "advance", advance)
        visit = make_visit()
        preparing.prepare(visit, now=timezone.now())
        tasks.synchronize(str(Meeting.objects.get().pk))
        assert joining[0].result(timeout=10).is_joinable
    assert peer.calls["create"] == 1


def test_whoever_is_sent_into_a_new_meeting_is_listened_to_before(peer, monkeypatch):
    advanced = []
    monkeypatch.setattr(subscriptions, "advance", lambda row, **_: advanced.append(row.meeting_id))
    meeting = ensure_meeting(make_visit(), now=timezone.now())
    assert advanced == []
    subscriptions.listen_now(meeting, now=timezone.now())
    assert advanced == [meeting.pk]


def test_a_cancelled_visit_brings_its_meeting_in_line_at_once(sent, django_capture_on_commit_callbacks):
    meeting = make_meeting()
    visit, now = meeting.visit, timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        end_visit(visit.endpoint, visit.session_id, state=Visit.State.CANCELLED, changed_at=now, now=now)
    assert ("meetings.synchronize", (str(meeting.pk),)) in sent


def test_a_posted_notification_is_processed_at_once(client, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/webhooks/graph/notifications", '{"value": [{}]}', content_type="application/json")
    assert sent == [("meetings.process_notification", (str(InboundNotification.objects.get().pk),))]


def test_a_task_for_one_row_takes_that_row_alone(done):
    first = make_subscription(due_at=timezone.now())
    make_subscription(make_meeting(make_visit(session_id="other")), due_at=timezone.now())
    tasks.subscribe(str(first.pk))
    assert done == [first.pk]


def test_sweepers_take_what_nobody_was_woken_for(done):
    subscription = make_subscription(due_at=timezone.now())
    Meeting.objects.update(sync_due_at=timezone.now())
    notification = stored()
    tasks.process_stored()
    tasks.subscribe_due()
    tasks.synchronize_due()
    assert done == [notification.pk, subscription.pk, subscription.meeting_id]


def test_a_row_that_is_not_due_is_left(done):
    subscription = make_subscription(due_at=timezone.now() + timedelta(hours=1))
    tasks.subscribe(str(subscription.pk))
    tasks.subscribe_due()
    tasks.synchronize(str(subscription.meeting_id))
    assert done == []


def test_a_task_that_comes_twice_works_once(done):
    notification = stored()
    tasks.process_notification(str(notification.pk))
    tasks.process_notification(str(notification.pk))
    assert done == [notification.pk]


def test_every_task_goes_to_the_queue_of_meetings():
    assert settings.CELERY_TASK_ROUTES["meetings.*"] == {"queue": "meetings"}
    assert "meetings" in QUEUES


def test_support_staff_read_and_change_nothing(client):
    boss = User.objects.create(username="boss", is_staff=True, is_superuser=True)
    client.force_login(boss)
    meeting = make_subscription().meeting
    for model in ("meeting", "participant", "presenceevent", "subscription", "inboundnotification"):
        assert client.get(f"/admin/meetings/{model}/", {"q": meeting.visit.reference}).status_code == 200
        assert client.get(f"/admin/meetings/{model}/add/").status_code == 403
    page = client.get(f"/admin/meetings/meeting/{meeting.pk}/change/").content.decode()
    assert meeting.join_web_url not in page
    secret = Subscription.objects.get()
    assert secret.client_state not in client.get(f"/admin/meetings/subscription/{secret.pk}/change/").content.decode()
