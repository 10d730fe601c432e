"""The subscriptions at Graph, to a meeting and to call records: what is asked for, adopted, replaced and left alone."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509

from core.errors import UpstreamRejected
from meetings.providers.base import EncryptionKey, RecordSubscriptionRequest, SubscriptionRequest
from meetings.providers.teams.subscriptions import resource_of
from tests.meetings.conftest import GRAPH, MADE, graph_error

SUBSCRIPTIONS = f"{GRAPH}/beta/subscriptions"
RECORDS = f"{GRAPH}/v1.0/communications/callRecords"
RECORD_SUBSCRIPTIONS = f"{GRAPH}/v1.0/subscriptions"


def test_the_resource_is_the_documented_example():
    # From the documentation of changenotifications-for-onlinemeeting, with an invented thread.
    url = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ZmVk%40thread.v2/0?context=%7b%22Tid%22%3a%22a%22%7d"
    assert resource_of(url) == (
        "communications/onlineMeetings(joinWebUrl='https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2F"
        "19%253ameeting_ZmVk%2540thread.v2%2F0%3Fcontext%3D%257b%2522Tid%2522%253a%2522a%2522%257d')/meetingCallEvents"
    )


@pytest.fixture
def wish(certificate):
    return SubscriptionRequest(
        join_web_url=MADE["joinWebUrl"],
        notification_url="https://visits.example.org/webhooks/graph/notifications",
        lifecycle_url="https://visits.example.org/webhooks/graph/lifecycle",
        client_state="only-we-know",
        key=EncryptionKey(key_id="k1", certificate=certificate.certificate),
        expires_at=datetime(2026, 11, 27, 14, 0, tzinfo=UTC),
    )


def live(graph_id="s1"):
    return {"id": graph_id, "expirationDateTime": "2026-11-27T14:00:00.0000000Z"}


def old(wish, **values):
    return {
        "id": "old",
        "resource": resource_of(wish.join_web_url),
        "clientState": None,
        "notificationUrl": wish.notification_url,
        **values,
    }


def test_a_subscription_asks_for_rich_notifications_under_our_certificate(http, teams, wish):
    http.post(SUBSCRIPTIONS, status=201, json=live())
    assert teams.subscribe(wish).expires_at == wish.expires_at
    sent = json.loads(http.calls[-1].request.body)
    assert sent["includeResourceData"] is True
    assert sent["changeType"] == "updated"
    assert sent["clientState"] == "only-we-know"
    assert sent["encryptionCertificateId"] == "k1"
    assert "PRIVATE" not in sent["encryptionCertificate"]
    assert x509.load_der_x509_certificate(base64.b64decode(sent["encryptionCertificate"]))
    assert sent["lifecycleNotificationUrl"] == wish.lifecycle_url


def test_a_conflict_adopts_the_subscription_that_is_ours(http, teams, wish):
    http.post(SUBSCRIPTIONS, status=409, json=graph_error("Conflict"))
    http.get(SUBSCRIPTIONS, json={"value": [old(wish, id="other", resource="elsewhere"), old(wish)]})
    http.patch(f"{SUBSCRIPTIONS}/old", json=live("old"))
    assert teams.subscribe(wish).id == "old"
    assert json.loads(http.calls[-1].request.body)["encryptionCertificateId"] == "k1"


@pytest.mark.parametrize("foreign", [{"clientState": "another"}, {"notificationUrl": "https://old.example.org/"}])
def test_a_conflict_replaces_a_subscription_whose_secret_or_address_is_not_ours(http, teams, wish, foreign):
    http.post(SUBSCRIPTIONS, status=409, json=graph_error("Conflict"))
    http.get(SUBSCRIPTIONS, json={"value": [old(wish, **foreign)]})
    http.delete(f"{SUBSCRIPTIONS}/old", status=204)
    http.post(SUBSCRIPTIONS, status=201, json=live("new"))
    assert teams.subscribe(wish).id == "new"


def test_a_renewal_without_a_new_key_sends_the_time_alone(http, teams):
    http.patch(f"{SUBSCRIPTIONS}/s1", json=live())
    teams.renew("s1", expires_at=datetime(2026, 11, 27, 14, 0, tzinfo=UTC))
    assert json.loads(http.calls[-1].request.body) == {"expirationDateTime": "2026-11-27T14:00:00Z"}


def test_unsubscribing_twice_is_fine(http, teams):
    http.delete(f"{SUBSCRIPTIONS}/s1", status=404, json=graph_error("ResourceNotFound"))
    teams.unsubscribe("s1")


def record_wish(**values):
    return RecordSubscriptionRequest(
        **{
            "notification_url": "https://visits.example.org/webhooks/graph/notifications",
            "lifecycle_url": "https://visits.example.org/webhooks/graph/lifecycle",
            "client_state": "s3cret",
            "expires_at": datetime(2026, 12, 1, tzinfo=UTC),
            **values,
        }
    )


def test_call_records_are_subscribed_to_in_v1_without_their_content(http, teams):
    http.post(RECORD_SUBSCRIPTIONS, status=201, json={"id": "r1", "expirationDateTime": "2026-12-01T00:00:00Z"})
    assert teams.subscribe_to_records(record_wish()).id == "r1"
    body = json.loads(http.calls[-1].request.body)
    assert (body["changeType"], body["resource"]) == ("updated", "communications/callRecords")
    assert "includeResourceData" not in body
    assert "encryptionCertificate" not in body


def test_a_subscription_to_another_address_is_left_alone(http, teams):
    http.post(RECORD_SUBSCRIPTIONS, status=409, json={"error": {"code": "Conflict"}})
    foreign = {"id": "r0", "resource": "communications/callRecords", "notificationUrl": "https://other.example.org/"}
    http.get(RECORD_SUBSCRIPTIONS, json={"value": [foreign]})
    with pytest.raises(UpstreamRejected) as refused:
        teams.subscribe_to_records(record_wish())
    assert refused.value.status == 409
    assert {call.request.method for call in http.calls if "/subscriptions" in call.request.url} == {"POST", "GET"}


def test_deleting_a_subscription_that_is_gone_is_fine(http, teams):
    http.delete(f"{RECORD_SUBSCRIPTIONS}/r1", status=404, json={"error": {"code": "NotFound"}})
    teams.unsubscribe_from_records("r1")


@pytest.mark.parametrize(
    "broken", [{"joinWebUrl": "https://x"}, {"joinWebUrl": "https://x", "id": "1", "version": "v"}]
)
def test_a_call_record_that_is_not_as_documented_is_refused(http, teams, broken):
    http.get(f"{RECORDS}/1", json={"joinWebUrl": "https://teams.example.org/l/1", **broken})
    with pytest.raises(UpstreamRejected) as refused:
        teams.call_record("1")
    assert refused.value.code == "graph.unreadable_call_record"
