"""One subscription to call records for each tenant and application, kept alive; and what its notifications may do."""

import json
import logging
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from config_portal.models import TeamsTenant
from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from meetings import signals, tasks
from meetings.models import InboundNotification, RecordSubscription
from meetings.providers.base import LiveSubscription
from meetings.services import notifications, record_subscriptions
from tests.factories import make_organization
from tests.meetings.rows import make_subscription

pytestmark = pytest.mark.django_db
NOTIFICATIONS, LIFECYCLE = "/webhooks/graph/notifications", "/webhooks/graph/lifecycle"


class Graph:
    """Notes what it is asked; raises what it is told to, once."""

    def __init__(self):
        self.asked, self.error = [], None

    def _do(self, name, value):
        self.asked.append((name, value))
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def subscribe_to_records(self, request):
        self._do("subscribe", request)
        return LiveSubscription(id=str(uuid.uuid4()), expires_at=request.expires_at)

    def renew_records(self, subscription_id, *, expires_at):
        self._do("renew", subscription_id)
        return LiveSubscription(id=subscription_id, expires_at=expires_at)

    def unsubscribe_from_records(self, subscription_id):
        self._do("unsubscribe", subscription_id)

    @property
    def names(self):
        return [name for name, _ in self.asked]


@pytest.fixture
def graph(monkeypatch):
    graph = Graph()
    monkeypatch.setattr(record_subscriptions, "provider_of_tenant", lambda _tenant: graph)
    return graph


@pytest.fixture
def tenant(db):
    return make_organization().teams_tenant


def run(now=None):
    now = now or timezone.now()
    record_subscriptions.enter_all(now=now)
    for subscription in record_subscriptions.claim_due(now=now):
        record_subscriptions.advance(subscription, now=now)
    return RecordSubscription.objects.get()


# --- Kept alive ----------------------------------------------------------------------------------------------------
def test_a_tenant_is_subscribed_with_our_addresses_for_as_long_as_graph_allows(graph, tenant, settings):
    live = run()
    ((_, request),) = graph.asked
    assert request.notification_url == f"{settings.PUBLIC_URL}{NOTIFICATIONS}"
    assert request.lifecycle_url == f"{settings.PUBLIC_URL}{LIFECYCLE}"
    assert request.client_state == live.client_state
    assert len(request.client_state) >= 43
    assert timedelta(minutes=4_220) < request.expires_at - timezone.now() <= timedelta(minutes=4_230)
    assert (live.tenant, live.client_id) == (tenant, tenant.client_id)
    assert live.is_live(now=timezone.now())
    run()
    assert graph.names == ["subscribe"]


def test_it_is_renewed_before_it_lapses_and_made_anew_when_graph_has_lost_it(graph, tenant):
    first = run()
    renewed = run(first.due_at)
    assert first.due_at < first.expires_at - timedelta(hours=11)
    assert graph.names == ["subscribe", "renew"]
    graph.error = UpstreamRejected("graph.rejected", status=404)
    made_anew = run(renewed.due_at)
    assert graph.names == ["subscribe", "renew", "renew", "subscribe"]
    assert made_anew.graph_id != renewed.graph_id


def test_one_that_lapsed_while_nobody_was_there_is_made_anew(graph, tenant):
    lapsed = run()
    run(lapsed.expires_at + timedelta(hours=1))
    assert graph.names == ["subscribe", "subscribe"]


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (ConfigurationError("graph.permission_missing"), timedelta(hours=1)),
        (UpstreamUnavailable("graph.throttled", retry_after=90), timedelta(seconds=90)),
    ],
)
def test_a_refusal_is_noted_and_tried_again_when_it_may_have_changed(graph, tenant, error, wait):
    now = timezone.now()
    graph.error = error
    refused = run(now)
    assert (refused.error_code, refused.due_at) == (error.code, now + wait)
    assert not refused.is_live(now=now)
    heard = run(refused.due_at)
    assert heard.error_code == ""
    assert heard.is_live(now=refused.due_at)


def test_another_application_gets_a_subscription_of_its_own(graph, tenant):
    run()
    TeamsTenant.objects.update(client_id=uuid.uuid4())
    RecordSubscription.objects.update(due_at=timezone.now())
    live = run()
    assert graph.names == ["subscribe", "subscribe"]
    assert live.client_id == TeamsTenant.objects.get().client_id


def test_another_address_of_ours_gets_the_news_at_once(graph, tenant, settings):
    run()
    settings.PUBLIC_URL = "https://moved.example.org"
    moved = run()
    assert graph.names == ["subscribe", "unsubscribe", "subscribe"]
    assert graph.asked[-1][1].notification_url == moved.notification_url == f"https://moved.example.org{NOTIFICATIONS}"
    run()
    assert len(graph.asked) == 3


def test_without_an_application_or_a_credential_nothing_is_asked(graph, tenant):
    TeamsTenant.objects.update(client_id=None)
    record_subscriptions.enter_all(now=timezone.now())
    TeamsTenant.objects.update(client_id=uuid.uuid4(), client_secret=None, certificate="")
    record_subscriptions.enter_all(now=timezone.now())
    assert not RecordSubscription.objects.exists()


def test_switched_off_it_ends_and_on_again_it_begins_anew(graph, tenant, settings):
    run()
    settings.GRAPH_CALL_RECORD_EVENTS = False
    ended = run()
    assert (ended.state, ended.graph_id) == (RecordSubscription.ENDED, "")
    settings.GRAPH_CALL_RECORD_EVENTS = True
    tasks.watch_call_records()
    assert graph.names == ["subscribe", "unsubscribe", "subscribe"]


def test_organizations_of_one_tenant_and_application_share_one(graph, tenant):
    other = make_organization(name="Tailspin Clinics")
    TeamsTenant.objects.filter(organization=other).update(tenant_id=tenant.tenant_id, client_id=tenant.client_id)
    shared = run()
    assert graph.names == ["subscribe"]
    told = record_subscriptions.organizations_of(shared)
    assert set(told.values_list("name", flat=True)) == {tenant.organization.name, other.name}
    assert record_subscriptions.subscription_of(other) == shared


# --- What is posted ------------------------------------------------------------------------------------------------
class Sender:
    """Graph, telling of call records; each part can be replaced."""

    def __init__(self, client, subscription):
        self.client, self.subscription = client, subscription
        self.record = str(uuid.uuid4())

    def value(self, **replaced):
        path = f"communications/callRecords/{self.record}"
        return {
            "subscriptionId": self.subscription.graph_id,
            "clientState": self.subscription.client_state,
            "changeType": "updated",
            "resource": path,
            "tenantId": str(self.subscription.tenant.tenant_id),
            "resourceData": {"@odata.type": "#Microsoft.Graph.callrecord", "@odata.id": path, "id": self.record},
            **replaced,
        }

    def post(self, *values, path=NOTIFICATIONS):
        body = json.dumps({"value": list(values)})
        answer = self.client.post(path, body, content_type="application/json")
        assert answer.status_code == 202
        for notification in notifications.claim_due(now=timezone.now()):
            notifications.process(notification, now=timezone.now())


@pytest.fixture
def sender(client, graph, tenant):
    return Sender(client, run())


@pytest.fixture
def news():
    """What is passed on, as (organization's name, record id)."""
    heard = []

    def hear(organization, record_id, **_):
        heard.append((organization.name, str(record_id)))

    signals.call_recorded.connect(hear)
    yield heard
    signals.call_recorded.disconnect(hear)


def test_a_record_is_passed_on_by_its_id(sender, news, tenant):
    sender.post(sender.value())
    assert news == [(tenant.organization.name, sender.record)]
    notification = InboundNotification.objects.get()
    assert (notification.state, notification.raw) == (InboundNotification.PROCESSED, None)


def test_a_repeated_delivery_is_stored_once(sender, news):
    sender.post(sender.value())
    sender.post(sender.value())
    assert len(news) == InboundNotification.objects.count() == 1


def test_everybody_who_shares_the_application_is_told(sender, news, tenant):
    other = make_organization(name="Tailspin Clinics")
    TeamsTenant.objects.filter(organization=other).update(tenant_id=tenant.tenant_id, client_id=tenant.client_id)
    sender.post(sender.value())
    assert {name for name, _ in news} == {tenant.organization.name, other.name}


@pytest.mark.parametrize(
    ("replaced", "code"),
    [
        ({"clientState": "guessed"}, "notification.client_state"),
        ({"clientState": None}, "notification.client_state"),
        ({"tenantId": str(uuid.uuid4())}, "notification.unreadable"),
        ({"tenantId": None}, "notification.unreadable"),
        ({"resourceData": None}, "notification.unreadable"),
        ({"resourceData": {"id": "../../users"}}, "notification.unreadable"),
        ({"subscriptionId": ""}, "notification.unknown_subscription"),
    ],
)
def test_what_does_not_prove_itself_is_taken_and_ignored(sender, news, replaced, code, caplog):
    with caplog.at_level(logging.WARNING):
        sender.post(sender.value(**replaced))
        # Graph may post before our own commit; what stays unknown for minutes is ignored.
        for notification in notifications.claim_due(now=timezone.now() + timedelta(minutes=3)):
            notifications.process(notification, now=timezone.now() + timedelta(minutes=3))
    assert news == []
    notification = InboundNotification.objects.get()
    assert (notification.state, notification.error_code) == (InboundNotification.IGNORED, code)
    assert code in {record.code for record in caplog.records if hasattr(record, "code")}


def test_one_false_part_spoils_an_envelope(sender, news):
    sender.post(sender.value(), sender.value(clientState="guessed"))
    assert news == []


def test_the_secret_of_a_meeting_opens_no_call_records(sender, news):
    of_meeting = make_subscription()
    sender.post(sender.value(clientState=of_meeting.client_state))
    assert news == []


def test_graph_asks_for_reauthorization_and_the_subscription_is_renewed(sender, graph):
    sender.post(sender.value(lifecycleEvent="reauthorizationRequired"), path=LIFECYCLE)
    run()
    assert graph.names == ["subscribe", "renew"]


def test_graph_says_that_it_removed_the_subscription_and_it_is_made_anew(sender, graph):
    sender.post(sender.value(lifecycleEvent="subscriptionRemoved"), path=LIFECYCLE)
    run()
    assert graph.names == ["subscribe", "subscribe"]
