"""One forged, broken or foreign notification after the other: each is answered 202, and none does anything."""

import base64
import json
import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.utils import timezone

from config_portal.models import Environment, SigningKey
from config_portal.services.keys import create_keys
from meetings.models import InboundNotification, Participant, PresenceEvent, Subscription
from meetings.services import notifications
from tests.factories import make_organization
from tests.meetings.conftest import ENTRA, STS
from tests.meetings.graph import GONE, Entra, encrypt, guest, member, roster
from tests.meetings.rows import make_subscription

pytestmark = pytest.mark.django_db
NOTIFICATIONS, LIFECYCLE = "/webhooks/graph/notifications", "/webhooks/graph/lifecycle"


class Sender:
    """Graph, sending to one subscription. Every part of a notification can be replaced."""

    def __init__(self, client, entra, subscription):
        self.client, self.entra, self.subscription = client, entra, subscription
        self.key = subscription.key
        meeting = subscription.meeting
        self.tenant = str(meeting.tenant_id)
        self.claims = {"aud": str(meeting.client_id), "iss": f"{STS}/{self.tenant}/"}

    def content(self, payload=None):
        payload = payload or roster(member("d1", self.tenant))
        return encrypt(json.dumps(payload).encode(), certificate=self.key.certificate, key_id=self.key.key_id)

    def value(self, **replaced):
        return {
            "subscriptionId": self.subscription.graph_id,
            "clientState": self.subscription.client_state,
            "changeType": "updated",
            "tenantId": self.tenant,
            "encryptedContent": replaced.pop("content", None) or self.content(),
            **replaced,
        }

    def post(self, value=None, *, tokens=None, path=NOTIFICATIONS):
        envelope = {
            "value": [value or self.value()],
            "validationTokens": [self.entra.token(**self.claims)] if tokens is None else tokens,
        }
        return self.client.post(path, json.dumps(envelope), content_type="application/json")


@pytest.fixture
def sender(client, entra):
    return Sender(client, entra, make_subscription())


def process_all(now=None):
    now = now or timezone.now()
    for notification in notifications.claim_due(now=now):
        notifications.process(notification, now=now)


def assert_ignored(response, code, caplog):
    """The answer is 202, nothing happened, and the reason is kept and logged."""
    assert response.status_code == 202
    with caplog.at_level(logging.WARNING):
        process_all(now=timezone.now() + notifications.UNKNOWN_GRACE)
    notification = InboundNotification.objects.get()
    assert (notification.state, notification.error_code) == (InboundNotification.IGNORED, code)
    assert notification.raw is None
    assert not Participant.objects.exists()
    assert not PresenceEvent.objects.exists()
    logged = [record for record in caplog.records if record.getMessage() == "notification ignored"]
    assert [record.code for record in logged] == [code]


def test_what_graph_sends_becomes_presence_and_its_body_is_wiped(sender):
    assert sender.post().status_code == 202
    assert not PresenceEvent.objects.exists()
    process_all()
    assert PresenceEvent.objects.get().kind == PresenceEvent.Kind.CONNECTED
    notification = InboundNotification.objects.get()
    assert (notification.state, notification.raw) == (InboundNotification.PROCESSED, None)


def test_a_repeated_delivery_is_stored_once(sender):
    value, token = sender.value(), sender.entra.token(**sender.claims)
    assert sender.post(value, tokens=[token]).status_code == 202
    assert sender.post(value, tokens=[token]).status_code == 202
    assert InboundNotification.objects.count() == 1


def test_several_events_of_one_envelope_are_all_taken(sender):
    payloads = [roster(member("d1", sender.tenant)), roster(guest("g1", isInLobby=True)), roster(guest("g1", **GONE))]
    envelope = {
        "value": [sender.value(content=sender.content(payload)) for payload in payloads],
        "validationTokens": [sender.entra.token(**sender.claims)],
    }
    sender.client.post(NOTIFICATIONS, json.dumps(envelope), content_type="application/json")
    process_all()
    assert sorted(Participant.objects.values_list("role", flat=True)) == ["guest", "provider"]


def test_a_wrong_client_state_is_ignored(sender, caplog):
    assert_ignored(sender.post(sender.value(clientState="guessed")), "notification.client_state", caplog)


def test_a_client_state_that_is_no_text_is_ignored(sender, caplog):
    assert_ignored(sender.post(sender.value(clientState={"a": 1})), "notification.client_state", caplog)


def test_an_unknown_subscription_is_ignored(sender, caplog):
    response = sender.post(sender.value(subscriptionId=str(uuid.uuid4())))
    assert_ignored(response, "notification.unknown_subscription", caplog)


def test_a_missing_token_is_ignored(sender, caplog):
    assert_ignored(sender.post(tokens=[]), "notification.token_missing", caplog)


def test_a_token_signed_by_somebody_else_is_ignored(sender, caplog):
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.now(UTC)
    token = sender.entra.sign({**sender.claims, "exp": now + timedelta(hours=1)}, key=forger)
    assert_ignored(sender.post(tokens=[token]), "notification.token_signature", caplog)


def test_a_token_under_an_unknown_key_is_ignored(sender, caplog):
    token = Entra(ENTRA).token(**sender.claims)
    assert_ignored(sender.post(tokens=[token]), "notification.token_signature", caplog)


def test_a_token_that_is_not_signed_is_ignored(sender, caplog):
    header, claims, _ = sender.entra.token(**sender.claims).split(".")
    unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": sender.entra.key_id}).encode()).decode()
    token = f"{unsigned.rstrip('=')}.{claims}."
    assert header != unsigned
    assert_ignored(sender.post(tokens=[token]), "notification.token_signature", caplog)


def test_rubbish_instead_of_a_token_is_ignored(sender, caplog):
    assert_ignored(sender.post(tokens=["rubbish"]), "notification.token_signature", caplog)


def test_a_token_for_another_application_is_ignored(sender, caplog):
    token = sender.entra.token(**{**sender.claims, "aud": str(uuid.uuid4())})
    assert_ignored(sender.post(tokens=[token]), "notification.token_audience", caplog)


def test_a_token_of_another_tenant_is_ignored(sender, caplog):
    token = sender.entra.token(**{**sender.claims, "iss": f"{STS}/{uuid.uuid4()}/"})
    assert_ignored(sender.post(tokens=[token]), "notification.token_issuer", caplog)


def test_a_token_that_graph_did_not_ask_for_is_ignored(sender, caplog):
    token = sender.entra.token(**sender.claims, appid=str(uuid.uuid4()))
    assert_ignored(sender.post(tokens=[token]), "notification.token_application", caplog)


def test_an_expired_token_is_ignored(sender, caplog):
    token = sender.entra.token(**sender.claims, exp=datetime.now(UTC) - timedelta(minutes=6))
    assert_ignored(sender.post(tokens=[token]), "notification.token_expired", caplog)


def test_one_bad_token_among_good_ones_spoils_the_envelope(sender, caplog):
    tokens = [sender.entra.token(**sender.claims), sender.entra.token(**sender.claims, appid="x")]
    assert_ignored(sender.post(tokens=tokens), "notification.token_application", caplog)


def test_a_certificate_that_is_not_ours_is_ignored(sender, caplog):
    content = {**sender.content(), "encryptionCertificateId": uuid.uuid4().hex}
    assert_ignored(sender.post(sender.value(content=content)), "notification.unknown_certificate", caplog)


def test_the_certificate_of_another_organization_is_ignored(sender, caplog):
    keys = create_keys(make_organization(), environment=Environment.TEST, now=timezone.now(), activate=True)
    sender.key = next(key for key in keys if key.purpose == SigningKey.Purpose.NOTIFICATION)
    assert_ignored(sender.post(), "notification.unknown_certificate", caplog)


def test_a_wrong_thumbprint_is_ignored(sender, caplog):
    content = {**sender.content(), "encryptionCertificateThumbprint": "AB" * 20}
    assert_ignored(sender.post(sender.value(content=content)), "notification.thumbprint", caplog)


def test_a_wrong_hmac_is_ignored(sender, caplog):
    content = {**sender.content(), "dataSignature": base64.b64encode(b"\0" * 32).decode()}
    assert_ignored(sender.post(sender.value(content=content)), "notification.signature", caplog)


def test_data_of_another_notification_is_ignored(sender, caplog):
    content = {**sender.content(), "data": sender.content()["data"]}
    assert_ignored(sender.post(sender.value(content=content)), "notification.signature", caplog)


def test_a_basic_notification_without_content_is_ignored(sender, caplog):
    assert_ignored(sender.post(sender.value(encryptedContent=None)), "notification.unreadable", caplog)


def test_an_event_nobody_knows_is_ignored(sender, caplog):
    content = sender.content({"eventType": "callTransferred"})
    assert_ignored(sender.post(sender.value(content=content)), "notification.unknown_event", caplog)


@pytest.mark.parametrize("state", [SigningKey.State.PUBLISHED, SigningKey.State.RETIRED])
def test_a_key_just_retired_or_not_yet_in_use_still_opens(sender, state):
    sender.key.state, sender.key.retired_at = state, timezone.now() if state == "retired" else None
    sender.key.save()
    sender.post()
    process_all()
    assert PresenceEvent.objects.exists()


def test_a_key_retired_long_ago_opens_nothing(sender, caplog):
    sender.key.state, sender.key.retired_at = SigningKey.State.RETIRED, timezone.now() - timedelta(days=8)
    sender.key.save()
    assert_ignored(sender.post(), "notification.unknown_certificate", caplog)


def test_a_token_that_expired_after_receipt_is_still_good(sender):
    sender.post(tokens=[sender.entra.token(**sender.claims, exp=datetime.now(UTC) + timedelta(seconds=5))])
    process_all(now=timezone.now() + timedelta(hours=2))
    assert PresenceEvent.objects.exists()


def test_a_subscription_that_we_have_not_stored_yet_is_waited_for(sender):
    graph_id = sender.subscription.graph_id
    Subscription.objects.update(graph_id="")
    sender.post(sender.value(subscriptionId=graph_id))
    process_all()
    assert InboundNotification.objects.get().state == InboundNotification.PENDING
    Subscription.objects.update(graph_id=graph_id)
    process_all(now=timezone.now() + timedelta(seconds=10))
    assert PresenceEvent.objects.exists()


def test_entra_being_away_is_no_reason_to_ignore(sender, http):
    http.replace("GET", f"{ENTRA}/common/.well-known/openid-configuration", status=503)
    sender.post()
    process_all()
    waiting = InboundNotification.objects.get()
    assert (waiting.state, waiting.error_code) == (InboundNotification.PENDING, "entra.failing")
    http.reset()
    sender.entra.publish(http)
    process_all(now=timezone.now() + timedelta(minutes=1))
    assert PresenceEvent.objects.exists()


def test_forged_key_ids_do_not_make_us_ask_entra_each_time(sender, http):
    for _ in range(5):
        sender.post(tokens=[Entra(ENTRA).token(**sender.claims)])
    process_all()
    assert InboundNotification.objects.filter(state=InboundNotification.IGNORED).count() == 5
    http.assert_call_count(f"{ENTRA}/common/discovery/keys", 1)


def test_a_worker_that_died_leaves_nothing_behind(sender):
    sender.post()
    notifications.claim_due(now=timezone.now())
    process_all()
    assert not PresenceEvent.objects.exists()
    process_all(now=timezone.now() + timedelta(minutes=2))
    assert PresenceEvent.objects.exists()


def test_a_removed_subscription_is_made_again(sender):
    value = {key: value for key, value in sender.value().items() if key != "encryptedContent"}
    sender.post({**value, "lifecycleEvent": "subscriptionRemoved"}, tokens=[], path=LIFECYCLE)
    process_all()
    subscription = Subscription.objects.get()
    assert subscription.graph_id == ""
    assert subscription.due_at <= timezone.now()


def test_a_request_to_reauthorize_makes_the_subscription_due(sender):
    value = {key: value for key, value in sender.value().items() if key != "encryptedContent"}
    sender.post({**value, "lifecycleEvent": "reauthorizationRequired"}, path=LIFECYCLE)
    process_all()
    assert Subscription.objects.get().due_at <= timezone.now()
    assert Subscription.objects.get().graph_id == sender.subscription.graph_id


def test_a_lifecycle_event_without_the_secret_does_nothing(sender, caplog):
    value = {**sender.value(clientState=""), "lifecycleEvent": "subscriptionRemoved"}
    assert_ignored(sender.post(value, tokens=[], path=LIFECYCLE), "notification.client_state", caplog)
    assert Subscription.objects.get().graph_id == sender.subscription.graph_id


@pytest.mark.parametrize("path", [NOTIFICATIONS, LIFECYCLE])
def test_the_handshake_is_echoed_as_plain_text(client, path):
    token = "Validation: Testing <b>client</b> & more ü"
    response = client.post(path, query_params={"validationToken": token}, content_type="text/plain")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content.decode() == token
    assert not InboundNotification.objects.exists()


@pytest.mark.parametrize("token", ["", "x" * 2049])
def test_an_empty_or_endless_handshake_is_refused(client, token):
    assert client.post(NOTIFICATIONS, query_params={"validationToken": token}).status_code == 400


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"value": []}', b'{"value": [1]}', b"\xff\xfe", b"[" * 90_000]
)
def test_what_is_no_envelope_is_answered_and_not_stored(client, body):
    assert client.post(NOTIFICATIONS, body, content_type="application/json").status_code == 202
    assert not InboundNotification.objects.exists()


def test_a_body_of_more_than_256_kb_is_refused(client):
    body = json.dumps({"value": [{"filler": "x" * 256 * 1024}]})
    assert client.post(NOTIFICATIONS, body, content_type="application/json").status_code == 413
    assert not InboundNotification.objects.exists()


def test_only_posts_are_taken(client):
    assert client.get(NOTIFICATIONS, query_params={"validationToken": "x"}).status_code == 405


def test_neither_body_nor_secret_is_readable_in_the_database(sender):
    sender.post()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT row_to_json(n)::text FROM meetings_inboundnotification n)"
            " || (SELECT row_to_json(s)::text FROM meetings_subscription s)"
        )
        stored = cursor.fetchone()[0]
    assert sender.subscription.client_state not in stored
    assert "clientState" not in stored


def test_digests_are_kept_for_a_week(sender):
    sender.post()
    process_all()
    notifications.purge(now=timezone.now() + timedelta(days=6))
    assert InboundNotification.objects.exists()
    notifications.purge(now=timezone.now() + timedelta(days=8))
    assert not InboundNotification.objects.exists()


def test_what_is_not_processed_is_not_purged(sender):
    sender.post()
    assert notifications.purge(now=timezone.now() + timedelta(days=30)) == 0
