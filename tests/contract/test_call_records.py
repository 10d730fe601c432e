"""Call records against the twin's Entra, Graph and Teams, over real sockets: told of, fetched, lost, refused."""

import uuid
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from config_portal.doctor import CheckContext
from core.errors import ConfigurationError
from meetings import checks
from meetings.models import InboundNotification, RecordSubscription
from meetings.providers.teams import token
from meetings.services import record_subscriptions
from meetings.services.suppliers import provider_of_tenant
from reports.models import CallNews, CallRecord
from reports.services import call_news, call_quality, refreshing
from tests.contract.test_graph import OKAFOR, faults, meeting, process_all, twin, visit  # noqa: F401 - fixtures
from tests.factories import ORGANIZER_ID, TENANT_ID

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def subscribed(twin, meeting):  # noqa: F811
    """A visit's meeting, and a subscription to the tenant's call records."""
    watch()
    assert RecordSubscription.objects.get().is_live(now=timezone.now())
    yield meeting
    lose(twin)


def watch():
    """Do what the worker does when the time has come."""
    now = timezone.now()
    RecordSubscription.objects.update(due_at=now)
    record_subscriptions.enter_all(now=now)
    for subscription in record_subscriptions.claim_due(now=now):
        record_subscriptions.advance(subscription, now=now)


def lose(twin):  # noqa: F811
    answer = requests.post(f"{twin.url}/control/call-records/{twin.client_id}/lose", timeout=10)
    assert answer.ok, answer.text


def hold(twin, meeting):  # noqa: F811
    """Let a provider alone be in the meeting for a moment; return the id of the call."""
    provider = twin.join(meeting.join_web_url, OKAFOR)
    twin.do("leave", meeting, provider["participant"])
    return twin.entries("ended", meeting.graph_id, system="teams", wait=25)[-1]["data"]["call_id"]


def announced(twin, call, *, count=1):  # noqa: F811
    """Wait until Graph has told of ``call`` so many times; return what we answered."""
    return [entry["data"]["http_status"] for entry in twin.wait_for("record_announced", call, count=count)]


def look():
    """Do what the workers do in the minute after."""
    process_all()
    refreshing.refresh(now=timezone.now())
    later = timezone.now() + timedelta(minutes=2)
    for news in call_news._claim_due(now=later):
        call_news.look_at(news, now=later)


def created(twin):  # noqa: F811
    return twin.entries("subscription_created", str(TENANT_ID))


def renewed(twin):  # noqa: F811
    return twin.entries("subscription_renewed", str(TENANT_ID))


def mine(entries):
    known = set(RecordSubscription.objects.values_list("graph_id", flat=True))
    return [entry for entry in entries if entry["data"]["subscription_id"] in known]


def test_a_call_that_ends_is_told_of_fetched_and_judged(twin, subscribed):  # noqa: F811
    call = hold(twin, subscribed)
    assert announced(twin, call) == [202]
    look()
    record = CallRecord.objects.get()
    assert (str(record.graph_id), record.visit) == (call, subscribed.visit)
    assert record.good + record.poor == record.streams.count() == 3
    assert not CallNews.objects.exists()
    provider, began = provider_of_tenant(subscribed.organization.teams_tenant), timezone.now() - timedelta(minutes=5)
    found = call_quality.take_in(provider, subscribed.organization, since=began, until=timezone.now())
    assert found == 0  # the sweep finds nothing new


def test_news_that_come_twice_and_in_another_order_change_nothing(twin, subscribed, faults):  # noqa: F811
    for fault, count in (("duplicate", 2), ("reorder", 1)):
        faults(graph__notifications=fault)
        assert announced(twin, hold(twin, subscribed), count=count) == [202] * count
    look()
    look()
    assert CallRecord.objects.count() == 2
    assert not CallNews.objects.exists()


def test_news_with_a_wrong_secret_are_taken_and_ignored(twin, subscribed, faults):  # noqa: F811
    faults(graph__notifications="wrong_client_state")
    assert announced(twin, hold(twin, subscribed)) == [202]
    look()
    judged = InboundNotification.objects.exclude(state=InboundNotification.PENDING)
    assert set(judged.values_list("error_code", flat=True)) == {"notification.client_state"}
    assert not CallNews.objects.exists()
    assert not CallRecord.objects.exists()


def test_news_that_never_come_are_made_good_by_the_sweep(twin, subscribed, faults):  # noqa: F811
    began = timezone.now() - timedelta(minutes=1)
    faults(graph__notifications="drop")
    hold(twin, subscribed)
    look()
    assert not CallRecord.objects.exists()
    provider = provider_of_tenant(subscribed.organization.teams_tenant)
    until = timezone.now() + timedelta(minutes=1)
    assert call_quality.take_in(provider, subscribed.organization, since=began, until=until) == 1


def test_of_a_call_of_no_visit_nothing_is_kept(twin, subscribed):  # noqa: F811
    provider = provider_of_tenant(subscribed.organization.teams_tenant)
    bearer = token.access_token(provider.connection, provider.session)
    foreign = requests.post(
        f"{twin.url}/graph/v1.0/users/{ORGANIZER_ID}/onlineMeetings/createOrGet",
        json={"externalId": uuid.uuid4().hex},
        headers={"Authorization": f"Bearer {bearer}"},
        timeout=10,
    ).json()
    person = twin.join(foreign["joinWebUrl"], OKAFOR)
    answer = requests.post(
        f"{twin.url}/control/rooms/{foreign['id']}/leave", json={"participant": person["participant"]}, timeout=10
    )
    assert answer.ok, answer.text
    call = twin.entries("ended", foreign["id"], system="teams", wait=25)[-1]["data"]["call_id"]
    assert announced(twin, call) == [202]
    look()
    assert not CallNews.objects.exists()
    assert not CallRecord.objects.exists()


def test_a_lost_subscription_is_made_anew_at_the_next_renewal(twin, subscribed):  # noqa: F811
    before = RecordSubscription.objects.get()
    lose(twin)
    watch()
    after = RecordSubscription.objects.get()
    assert after.graph_id != before.graph_id
    assert announced(twin, hold(twin, subscribed)) == [202]


def test_one_that_we_forgot_to_store_is_adopted(twin, subscribed):  # noqa: F811
    known = RecordSubscription.objects.get()
    RecordSubscription.objects.update(graph_id="", expires_at=None)
    watch()
    assert RecordSubscription.objects.get().graph_id == known.graph_id
    assert len(mine(created(twin))) == len(mine(renewed(twin))) == 1


def test_a_request_to_reauthorize_is_answered_with_a_renewal(twin, subscribed):  # noqa: F811
    answer = requests.post(f"{twin.url}/control/call-records/{twin.client_id}/lifecycle", timeout=10)
    assert answer.json() == {"sent": 1}
    twin.wait_for("lifecycle_sent", str(TENANT_ID), count=1)
    process_all()
    watch()
    assert len(mine(renewed(twin))) == 1


def test_switched_off_it_is_deleted_at_graph(twin, subscribed, settings):  # noqa: F811
    known = RecordSubscription.objects.get().graph_id
    settings.GRAPH_CALL_RECORD_EVENTS = False
    watch()
    deleted = twin.entries("subscription_deleted", str(TENANT_ID))
    assert known in {entry["data"]["subscription_id"] for entry in deleted}


def test_without_the_permission_it_is_refused_and_comes_back_with_it(twin, meeting, faults):  # noqa: F811
    faults(entra__consent="no_call_records")
    token.forget_all()
    watch()
    refused = RecordSubscription.objects.get()
    assert (refused.error_code, refused.graph_id) == ("graph.permission_missing", "")
    with pytest.raises(ConfigurationError) as told:
        provider_of_tenant(meeting.organization.teams_tenant).call_record(str(uuid.uuid4()))
    assert "CallRecords.Read.All" in told.value.user_message
    faults(entra__consent="")
    token.forget_all()
    watch()
    assert RecordSubscription.objects.get().is_live(now=timezone.now())
    lose(twin)


@pytest.mark.parametrize(("consent", "outcome"), [("", "passed"), ("no_call_records", "skipped")])
def test_the_preflight_check_says_whether_records_can_be_read(twin, visit, faults, consent, outcome):  # noqa: F811
    faults(entra__consent=consent)
    token.forget_all()
    found = checks.call_records(CheckContext(endpoint=visit.endpoint, now=timezone.now()))
    assert found.outcome == outcome
    assert ("CallRecords.Read.All" in found.cause) == (outcome == "skipped")
