"""What becomes of calls that Graph tells of: a visit's is judged, of any other nothing stays."""

import re
import threading
import uuid
from datetime import timedelta

import pytest
import responses
from django.db import connection
from django.urls import reverse

from accounts.models import Role
from core.locks import only_one
from meetings.models import RecordSubscription
from meetings.providers.teams import throttle
from meetings.signals import call_recorded
from reports import tasks
from reports.models import CallNews, CallRecord, CallSweep
from reports.services import call_news, call_quality, operations
from tests.factories import make_staff
from tests.reports.test_quality import ENTRA, GRAPH, LATER, RECORD_ID, graph, head, session  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
SOON = LATER + call_news.SETTLE


@pytest.fixture
def tell(visit):
    def hear(record_id=RECORD_ID, *, now=LATER):
        call_recorded.send(None, organization=visit.organization, record_id=uuid.UUID(record_id), now=now)

    return hear


def look(now=SOON):
    """Do what the worker does, at ``now``; return how many calls it looked at."""
    claimed = call_news._claim_due(now=now)
    for news in claimed:
        call_news.look_at(news, now=now)
    return len(claimed)


def refusing(status, **options):
    http = responses.RequestsMock(assert_all_requests_are_fired=False)
    http.add(responses.POST, re.compile(f"{ENTRA}/.*"), json={"access_token": "t0k3n", "expires_in": 3599})
    http.add(responses.GET, re.compile(f"{GRAPH}/.*"), status=status, json={"error": {"code": "x"}}, **options)
    return http


def test_a_visits_call_is_fetched_and_judged_and_the_news_are_gone(graph, tell, visit):  # noqa: F811
    tell()
    assert look(LATER) == 0  # a moment later, when facts know the meeting
    assert look() == 1
    record = CallRecord.objects.get()
    assert (record.visit, record.good, record.version) == (visit, 2, 1)
    assert not CallNews.objects.exists()
    assert graph.lists == []


def test_of_anybody_elses_call_nothing_is_kept(graph, tell):  # noqa: F811
    foreign, meetingless = str(uuid.uuid4()), str(uuid.uuid4())
    graph.tell(head(record=foreign, url="https://teams.example.org/another"))
    graph.tell({**head(record=meetingless), "joinWebUrl": None})
    tell(foreign)
    tell(meetingless)
    assert look() == 2
    assert not CallRecord.objects.exists()
    assert not CallNews.objects.exists()
    assert graph.fetched == []  # no stream of theirs was read


def test_news_of_one_call_are_one_row_however_often_they_come(graph, tell):  # noqa: F811
    for _ in range(3):
        tell()
    assert CallNews.objects.count() == look() == 1
    assert len(graph.fetched) == 1
    tell()
    assert look() == 1
    assert len(graph.fetched) == 1  # the version is known


def test_a_higher_version_replaces_and_an_older_one_that_comes_late_does_not(graph, tell):  # noqa: F811
    graph.tell(head(version=2))
    graph.details[RECORD_ID] = [[session(jitter="PT0.2S")]]
    tell()
    look()
    graph.tell(head(version=1))
    graph.details[RECORD_ID] = [[session()]]
    tell()
    look()
    record = CallRecord.objects.get()
    assert (record.version, record.good, record.poor) == (2, 0, 1)


def test_news_that_come_while_a_call_is_looked_at_have_it_looked_at_again(graph, tell, monkeypatch):  # noqa: F811
    tell()
    take_in_one = call_quality.take_in_one

    def take_in_late(*arguments):
        tell()
        return take_in_one(*arguments)

    monkeypatch.setattr(call_quality, "take_in_one", take_in_late)
    look()
    monkeypatch.undo()
    assert CallNews.objects.get().state == CallNews.PENDING
    assert look() == 1
    assert not CallNews.objects.exists()


def test_a_worker_that_died_over_a_call_has_it_looked_at_again(graph, tell):  # noqa: F811
    tell()
    call_news._claim_due(now=SOON)
    assert look() == 0
    assert look(SOON + timedelta(minutes=2)) == 1
    assert CallRecord.objects.count() == 1


def test_a_record_that_is_not_there_yet_is_looked_for_some_times(graph, tell):  # noqa: F811
    tell()
    now = SOON
    with refusing(404):
        for _ in range(call_news.MOST_ATTEMPTS - 1):
            look(now)
            now = CallNews.objects.get().due_at
        look(now)
    assert not CallNews.objects.exists()
    assert call_quality.sweep_due(now=now) == 1  # the sweep finds it all the same


def test_graph_that_asks_to_wait_is_left_alone_so_long(graph, tell):  # noqa: F811
    tell()
    with refusing(429, headers={"Retry-After": "40"}):
        look()
    assert CallNews.objects.get().due_at == SOON + timedelta(seconds=40)
    throttle.forget_all()
    assert look(SOON + timedelta(seconds=41)) == 1
    assert CallRecord.objects.count() == 1


def test_a_missing_permission_is_shown_and_the_sweep_goes_on(graph, tell, visit, client):  # noqa: F811
    CallSweep.objects.create(organization=visit.organization, due_at=LATER, swept_until=LATER)
    tell()
    with refusing(403):
        look()
    assert not CallNews.objects.exists()
    client.force_login(make_staff(visit.organization, Role.ADMIN))
    assert "CallRecords.Read.All" in client.get(reverse("reports:quality")).content.decode()
    assert "Not readable" in client.get(reverse("status:page")).content.decode()
    assert call_quality.sweep_due(now=LATER + timedelta(hours=1)) == 1
    assert "CallRecords.Read.All" not in client.get(reverse("reports:quality")).content.decode()


def test_the_task_looks_at_whatever_is_due(graph, tell):  # noqa: F811
    tell(now=LATER - timedelta(days=1))
    tasks.look_at_news()
    assert CallRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_only_one_worker_looks_at_a_time(graph, tell):  # noqa: F811
    tell(now=LATER - timedelta(days=1))
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        with only_one(call_news._LOCK):
            is_held.set()
            is_over.wait(60)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert is_held.wait(60)
    try:
        assert not call_news.look_at_due()
        assert CallNews.objects.exists()
    finally:
        is_over.set()
        other.join()
    assert call_news.look_at_due()
    assert CallRecord.objects.count() == 1


def fact(visit, *, now=LATER):
    (found,) = [one for one in operations.connections(visit.organization, now=now) if one.name == "Call records"]
    return found.value, found.is_well, found.note


def test_the_status_page_says_how_calls_are_found(visit):
    assert fact(visit) == ("Not looked for yet", None, "")
    CallSweep.objects.create(organization=visit.organization, due_at=LATER, swept_until=LATER)
    assert fact(visit) == ("Looked for every hour", True, "")
    tenant = visit.organization.teams_tenant
    subscription = RecordSubscription.objects.create(
        tenant=tenant, client_id=tenant.client_id, due_at=LATER, error_code="graph.permission_missing"
    )
    assert fact(visit) == ("Looked for every hour, not told of", False, "graph.permission_missing")
    subscription.error_code, subscription.graph_id = "", str(uuid.uuid4())
    subscription.expires_at = LATER + timedelta(days=2)
    subscription.save()
    assert fact(visit) == ("Told of each call", True, "")
    assert fact(visit, now=LATER + timedelta(days=3)) == ("Looked for every hour", True, "")
