import datetime as dt

import jwt
import pytest

from tests.sandbox.subscriber import Subscriber
from tests.sandbox.twin import APP, PROVIDER, TENANT

pytestmark = pytest.mark.xdist_group("sandbox")


def read(subscriber: Subscriber, delivery) -> dict:
    return subscriber.read(delivery.json["value"][0]["encryptedContent"])


def test_a_subscription_is_created_once_both_addresses_shook_hands(twin, subscriber):
    visit = twin.new_meeting()

    first, second = visit.subscribe(subscriber), visit.subscribe(subscriber)

    assert (first.status_code, second.status_code) == (201, 409)
    assert first.json()["applicationId"] == APP
    [entry] = twin.entries("graph", "subscription_created", key=visit.meeting["id"])
    assert entry["data"]["subscription_id"] == first.json()["id"]


def test_a_wrong_echo_refuses_the_subscription(twin, subscriber, listener):
    listener.echoes = False

    answer = twin.new_meeting().subscribe(subscriber)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")


def test_an_address_nobody_listens_at_refuses_the_subscription(twin, subscriber):
    answer = twin.new_meeting().subscribe(subscriber, notificationUrl="http://127.0.0.1:9/")

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"changeType": "created"},
        {"includeResourceData": False},
        {"encryptionCertificate": "bm90IGEgY2VydGlmaWNhdGU="},
        {"encryptionCertificateId": ""},
        {"lifecycleNotificationUrl": None},
        {"notificationUrl": "http://visits.lamna.example.org/graph"},
        {"clientState": "x" * 129},
        {"expirationDateTime": (dt.datetime.now(dt.UTC) + dt.timedelta(days=4)).isoformat()},
        {"expirationDateTime": (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)).isoformat()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_subscription_that_graph_would_refuse_is_refused(twin, subscriber, changes):
    assert twin.new_meeting().subscribe(subscriber, **changes).status_code == 400


def test_a_join_address_that_is_not_encoded_twice_is_refused(twin, subscriber):
    visit = twin.new_meeting()
    once = f"communications/onlineMeetings(joinWebUrl='{visit.meeting['joinWebUrl']}')/meetingCallEvents"

    assert visit.subscribe(subscriber, resource=once).status_code == 400


def test_an_event_is_encrypted_and_proves_its_sender(twin, subscriber, listener):
    visit = twin.new_meeting()
    subscription = visit.subscribe(subscriber).json()

    guest = visit.patient()

    envelope = listener.take().json
    [value], [token] = envelope["value"], envelope["validationTokens"]
    assert value["subscriptionId"] == subscription["id"]
    assert (value["clientState"], value["tenantId"]) == ("a client state", TENANT)
    assert value["encryptedContent"]["encryptionCertificateThumbprint"] == subscriber.thumbprint
    keys = jwt.PyJWKClient(f"{twin.url}/entra/common/discovery/v2.0/keys")
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["RS256"],
        audience=APP,
        issuer=f"{twin.url}/entra-sts/{TENANT}/",
    )
    assert claims["appid"] == "0bf30f3b-4a52-48df-9a82-234910c4a086"
    [change] = subscriber.read(value["encryptedContent"])["participants@delta"]
    assert (change["id"], change["isInLobby"]) == (guest["participant"], True)


def test_an_event_is_repeated_until_it_is_taken_and_then_the_next_one_comes(twin, subscriber, listener):
    visit = twin.new_meeting()
    visit.subscribe(subscriber)
    listener.statuses = [500, 503]

    visit.staff(PROVIDER)

    kinds = [read(subscriber, listener.take())["eventType"] for _ in range(4)]
    assert kinds == ["callStarted", "callStarted", "callStarted", "rosterUpdated"]
    statuses = [entry["data"]["http_status"] for entry in twin.entries("graph", "notification_sent")]
    assert statuses[:3] == [500, 503, 202]


def test_a_renewal_rotates_the_certificate(twin, subscriber, listener):
    visit = twin.new_meeting()
    path = f"/beta/subscriptions/{visit.subscribe(subscriber).json()['id']}"
    newer = Subscriber()
    body = {
        "expirationDateTime": (dt.datetime.now(dt.UTC) + dt.timedelta(days=2, hours=23)).isoformat(),
        "encryptionCertificate": newer.certificate,
        "encryptionCertificateId": "second",
    }

    assert twin.graph("PATCH", path, body).status_code == 200
    visit.patient()

    content = listener.take().json["value"][0]["encryptedContent"]
    assert content["encryptionCertificateId"] == "second"
    assert newer.read(content)["eventType"] == "rosterUpdated"


def test_a_deleted_subscription_hears_nothing(twin, subscriber, listener):
    visit = twin.new_meeting()
    path = f"/beta/subscriptions/{visit.subscribe(subscriber).json()['id']}"

    assert twin.graph("DELETE", path).status_code == 204
    visit.patient()

    assert listener.is_quiet()
    assert twin.graph("GET", path).status_code == 404


def test_a_lifecycle_notification_is_answered_by_reauthorizing(twin, subscriber, listener):
    visit = twin.new_meeting()
    subscription = visit.subscribe(subscriber).json()

    visit.twin.http.post(f"{visit.control}/lifecycle", json={"event": "reauthorizationRequired"}, timeout=10)

    delivery = listener.take()
    assert delivery.url.endswith("/lifecycle")
    assert delivery.json["value"][0]["lifecycleEvent"] == "reauthorizationRequired"
    assert twin.graph("POST", f"/beta/subscriptions/{subscription['id']}/reauthorize").status_code == 204


def record_body(twin, **changes):
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=4_229)
    return {
        "changeType": "updated",
        "resource": "/communications/callRecords",
        "notificationUrl": f"{twin.webhook}/records",
        "lifecycleNotificationUrl": f"{twin.webhook}/lifecycle",
        "clientState": "a client state",
        "expirationDateTime": expires_at.isoformat(),
        **changes,
    }


@pytest.fixture
def records(twin):
    """The application's subscription to call records."""
    twin.http.post(f"{twin.url}/control/call-records/{APP}/lose", timeout=10).raise_for_status()
    answer = twin.graph("POST", "/v1.0/subscriptions", record_body(twin))
    assert answer.status_code == 201, answer.text
    yield answer.json()
    twin.http.post(f"{twin.url}/control/call-records/{APP}/lose", timeout=10).raise_for_status()


def test_a_call_that_ended_is_told_of_by_its_id_alone(twin, listener, records):
    visit = twin.new_meeting()
    person = visit.staff(PROVIDER)
    visit.do("leave", person["participant"])
    delivery = listener.take()
    assert delivery.url.endswith("/records")
    [value] = delivery.json["value"]
    assert (value["subscriptionId"], value["clientState"], value["tenantId"]) == (
        records["id"], "a client state", TENANT,
    )  # fmt: skip
    assert "encryptedContent" not in value
    assert "validationTokens" not in delivery.json
    assert value["resource"] == f"communications/callRecords/{value['resourceData']['id']}"
    record = twin.graph("GET", f"/v1.0/{value['resource']}").json()
    assert record["joinWebUrl"] == visit.meeting["joinWebUrl"]


@pytest.mark.parametrize(
    "changes",
    [
        {"changeType": "deleted"},
        {"includeResourceData": True},
        {"clientState": "x" * 129},
        {"expirationDateTime": (dt.datetime.now(dt.UTC) + dt.timedelta(days=4)).isoformat()},
        {"resource": "communications/calls"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_wish_for_call_records_that_graph_would_refuse_is_refused(twin, changes):
    assert twin.graph("POST", "/v1.0/subscriptions", record_body(twin, **changes)).status_code == 400


def test_without_consent_call_records_are_forbidden_and_meetings_are_not(twin, subscriber):
    twin.put_faults({"entra.consent": "no_call_records"})
    answer = twin.graph("POST", "/v1.0/subscriptions", record_body(twin))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")
    assert twin.graph("GET", "/v1.0/communications/callRecords").status_code == 403
    assert twin.new_meeting().subscribe(subscriber).status_code == 201


def test_a_second_subscription_to_call_records_is_a_conflict(twin, records):
    assert twin.graph("POST", "/v1.0/subscriptions", record_body(twin)).status_code == 409
