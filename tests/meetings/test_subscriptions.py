from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from config_portal.models import SigningKey
from config_portal.services.keys import active_key, create_keys
from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from meetings.models import Meeting, Participant, Subscription
from meetings.providers.base import LiveSubscription
from meetings.services import subscriptions
from meetings.services.meetings import cancel_meeting
from meetings.services.participants import expect
from tests.factories import make_visit
from tests.meetings.rows import make_meeting, make_subscription

pytestmark = pytest.mark.django_db


class Graph:
    """Notes what it is asked; raises what it is told to."""

    def __init__(self):
        self.asked, self.error = [], None

    def _do(self, name, *values):
        self.asked.append((name, *values))
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def subscribe(self, request):
        self._do("subscribe", request)
        return LiveSubscription(id=f"s{len(self.asked)}", expires_at=request.expires_at)

    def renew(self, subscription_id, *, expires_at, key=None):
        self._do("renew", subscription_id, key and key.key_id)
        return LiveSubscription(id=subscription_id, expires_at=expires_at)

    def unsubscribe(self, subscription_id):
        self._do("unsubscribe", subscription_id)

    @property
    def names(self):
        return [name for name, *_ in self.asked]


@pytest.fixture
def graph(monkeypatch):
    graph = Graph()
    monkeypatch.setattr(subscriptions, "provider_of", lambda _meeting: graph)
    return graph


def run(now=None) -> Subscription:
    now = now or timezone.now()
    for subscription in subscriptions.claim_due(now=now):
        subscriptions.advance(subscription, now=now)
    return Subscription.objects.get()


def new_subscription(**values):
    visit = make_visit(starts_at=timezone.now() + timedelta(minutes=20))
    return subscriptions.ensure_subscription(make_meeting(visit, **values), now=timezone.now())


def test_a_new_subscription_is_made_with_our_addresses_and_the_active_key(graph, settings):
    subscription = new_subscription()
    after = run()
    request = graph.asked[0][1]
    assert request.notification_url == f"{settings.PUBLIC_URL}/webhooks/graph/notifications"
    assert request.lifecycle_url == f"{settings.PUBLIC_URL}/webhooks/graph/lifecycle"
    assert request.client_state == subscription.client_state
    assert len(request.client_state) >= 43
    assert timedelta(days=2, hours=23) < request.expires_at - timezone.now() < timedelta(days=3)
    assert request.key.key_id == after.key.key_id
    assert after.is_live(now=timezone.now())


def test_a_meeting_has_one_subscription(graph):
    subscription = new_subscription()
    run()
    assert subscriptions.ensure_subscription(subscription.meeting, now=timezone.now()) == subscription
    run()
    assert graph.names == ["subscribe"]


def test_listening_begins_shortly_before_the_visit_may_be_joined(graph):
    visit = make_visit(starts_at=timezone.now() + timedelta(days=7))
    subscriptions.ensure_subscription(make_meeting(visit), now=timezone.now())
    resting = run()
    assert graph.names == []
    assert resting.due_at == visit.starts_at - timedelta(minutes=30 + 10)
    listening = run(resting.due_at)
    assert graph.names == ["subscribe"]
    run(listening.due_at)
    assert graph.names == ["subscribe", "unsubscribe"]


def test_somebody_who_goes_in_days_before_is_heard_until_they_have_left(graph):
    meeting = make_meeting(make_visit(starts_at=timezone.now() + timedelta(days=7)))
    subscriptions.listen_now(meeting, now=timezone.now())
    assert graph.names == ["subscribe"]
    here = expect(meeting, role="provider", now=timezone.now())
    Participant.objects.update(state=Participant.State.CONNECTED)
    subscription = run(Subscription.objects.get().due_at)
    assert graph.names == ["subscribe", "renew"]
    assert subscription.due_at < subscription.expires_at - timedelta(hours=11)  # no gap
    Participant.objects.filter(pk=here.pk).update(state=Participant.State.LEFT)
    run(subscription.due_at)
    assert graph.names == ["subscribe", "renew"]
    assert Subscription.objects.get().due_at == subscriptions.listens_from(meeting)


def test_live_subscriptions_follow_a_rotation_at_once(graph):
    subscription = make_subscription(make_meeting(make_visit(starts_at=timezone.now() + timedelta(minutes=20))))
    organization, environment = subscription.meeting.organization, subscription.meeting.visit.endpoint.environment
    assert subscriptions.follow_rotations(now=timezone.now()) == 0
    organization.signing_keys.update(state=SigningKey.State.RETIRED, retired_at=timezone.now())
    create_keys(organization, environment=environment, now=timezone.now(), activate=True)
    assert subscriptions.follow_rotations(now=timezone.now()) == 1
    after = run()
    assert graph.names == ["renew"]
    assert after.key.state == SigningKey.State.ACTIVE
    assert subscriptions.follow_rotations(now=timezone.now()) == 0


def test_a_renewal_carries_the_new_key_after_a_rotation(graph):
    subscription = make_subscription()
    organization, environment = subscription.meeting.organization, subscription.meeting.visit.endpoint.environment
    organization.signing_keys.update(state=SigningKey.State.RETIRED, retired_at=timezone.now())
    create_keys(organization, environment=environment, now=timezone.now(), activate=True)
    new = active_key(organization, environment=environment, purpose=SigningKey.Purpose.NOTIFICATION)
    after = run(subscription.due_at)
    assert graph.asked == [("renew", subscription.graph_id, new.key_id)]
    assert after.key == new


@pytest.mark.parametrize("graph_id", ["", "lost"])
def test_a_subscription_that_is_lost_or_lapsed_is_made_anew(graph, graph_id):
    subscription = make_subscription(graph_id=graph_id)
    if graph_id:
        graph.error = UpstreamRejected("graph.rejected", status=404)
    after = run(subscription.due_at)
    assert graph.names[-1] == "subscribe"
    assert after.graph_id not in {"", "lost"}


def test_a_lapsed_subscription_is_not_renewed(graph):
    meeting = make_meeting(make_visit(starts_at=timezone.now() + timedelta(minutes=20)))
    make_subscription(meeting, expires_at=timezone.now() - timedelta(minutes=1), due_at=timezone.now())
    run()
    assert graph.names == ["subscribe"]


def over(meeting: Meeting) -> datetime:
    return subscriptions.over_at(meeting) + timedelta(minutes=1)


def test_it_is_deleted_when_the_visit_is_over(graph):
    subscription = new_subscription()
    live = run()
    assert live.due_at <= over(subscription.meeting)
    after = run(over(subscription.meeting))
    assert graph.asked[-1] == ("unsubscribe", live.graph_id)
    assert (after.state, after.graph_id) == (Subscription.ENDED, "")
    assert after.finished_at is not None


def test_it_is_kept_while_somebody_is_still_there(graph):
    subscription = new_subscription()
    run()
    meeting = subscription.meeting
    Participant.objects.create(
        organization=meeting.organization,
        meeting=meeting,
        role="provider",
        ordinal=1,
        state=Participant.State.CONNECTED,
        state_at=timezone.now(),
        created_at=timezone.now(),
    )
    after = run(over(meeting))
    assert after.state == Subscription.PENDING
    assert after.due_at - over(meeting) == subscriptions.STILL_THERE


def test_it_is_deleted_when_the_visit_is_cancelled(graph):
    subscription = new_subscription()
    run()
    cancel_meeting(subscription.meeting.visit, now=timezone.now())
    assert run().state == Subscription.ENDED


def test_a_meeting_that_comes_back_gets_a_new_secret(graph):
    subscription = new_subscription()
    run()
    old_secret = subscription.client_state
    Meeting.objects.update(state=Meeting.State.CANCELLED)
    Subscription.objects.update(due_at=timezone.now())
    run()
    Meeting.objects.update(state=Meeting.State.READY)
    again = subscriptions.ensure_subscription(Meeting.objects.get(), now=timezone.now())
    assert again.client_state != old_secret
    assert run().is_live(now=timezone.now())


def test_throttling_is_waited_out_exactly_as_asked(graph):
    new_subscription()
    graph.error = UpstreamUnavailable("graph.throttled", retry_after=40)
    now = timezone.now()
    after = run(now)
    assert (after.state, after.due_at, after.error_code) == (
        Subscription.PENDING,
        now + timedelta(seconds=40),
        "graph.throttled",
    )
    assert run(now + timedelta(seconds=39)).graph_id == ""
    assert run(now + timedelta(seconds=41)).graph_id != ""


def test_a_missing_permission_is_visible_and_tried_again(graph):
    new_subscription()
    graph.error = ConfigurationError("graph.permission_missing")
    assert run().error_code == "graph.permission_missing"
    after = run(timezone.now() + timedelta(minutes=1))
    assert after.is_live(now=timezone.now())
    assert after.error_code == ""


def test_a_worker_that_died_is_followed_by_another(graph):
    new_subscription()
    subscriptions.claim_due(now=timezone.now())
    assert run().graph_id == ""
    assert run(timezone.now() + timedelta(minutes=2)).graph_id != ""


def test_nobody_listens_when_live_events_are_switched_off(graph, settings):
    settings.GRAPH_MEETING_EVENTS = False
    new_subscription()
    assert run().state == Subscription.ENDED
    assert graph.names == []
