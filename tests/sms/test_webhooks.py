from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from twilio.request_validator import RequestValidator

from sms.models import DeliveryEvent, InboundText, OptOut, PhoneNumber, SmsMessage, Supplier
from sms.services import opt_outs
from tests.factories import make_visit

pytestmark = pytest.mark.django_db
SECRET = {"X-Connector-Secret": "only-for-tests"}
State = SmsMessage.State


@pytest.fixture
def text():
    make_visit()
    SmsMessage.objects.exclude(kind="scheduled").delete()
    message = SmsMessage.objects.get()
    message.state, message.supplier, message.supplier_message_id = State.ACCEPTED, Supplier.ACS, "m-1"
    message.accepted_at = timezone.now() - timedelta(seconds=3)
    message.save()
    return message


def report(status="Delivered", details="2000: No error", event_id="e-1", message_id="m-1"):
    return {
        "id": event_id,
        "eventType": "Microsoft.Communication.SMSDeliveryReportReceived",
        "data": {
            "messageId": message_id,
            "from": "18335550142",
            "to": "16085550177",
            "deliveryStatus": status,
            "deliveryStatusDetails": details,
            "receivedTimestamp": "2026-11-24T14:00:00.1234567Z",
        },
    }


def incoming(body, event_id="i-1"):
    data = {"messageId": "in-1", "from": "+16085550177", "to": "+18335550142", "message": body}
    return {"id": event_id, "eventType": "Microsoft.Communication.SMSReceived", "data": data}


def post_events(client, *events, headers=SECRET):
    return client.post(reverse("sms:acs_events"), list(events), content_type="application/json", headers=headers)


def test_a_delivery_report_brings_the_text_forward(client, text):
    assert post_events(client, report()).status_code == 200
    text.refresh_from_db()
    assert text.state == State.DELIVERED
    assert text.delivered_at is not None


def test_an_undelivered_text_keeps_the_suppliers_reason(client, text):
    post_events(client, report(status="Failed", details="4001: Invalid number"))
    text.refresh_from_db()
    assert (text.state, text.supplier_code) == (State.UNDELIVERED, "4001")


def test_the_same_report_twice_is_kept_once(client, text):
    post_events(client, report(), report())
    assert DeliveryEvent.objects.count() == 1


def test_a_late_report_does_not_undo_a_delivery(client, text):
    post_events(client, report())
    post_events(client, report(status="Failed", details="4001: Invalid number", event_id="e-2"))
    text.refresh_from_db()
    assert text.state == State.DELIVERED


def test_a_report_about_an_unknown_text_is_answered_and_ignored(client, text):
    assert post_events(client, report(message_id="other")).status_code == 200
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"X-Connector-Secret": "wrong"}])
def test_events_without_our_secret_are_refused(client, text, headers):
    assert post_events(client, report(), headers=headers).status_code == 401
    text.refresh_from_db()
    assert text.state == State.ACCEPTED


def test_nobody_gets_in_while_no_secret_is_set(client, text, settings):
    settings.ACS_WEBHOOK_SECRET = ""
    assert post_events(client, report(), headers={"X-Connector-Secret": ""}).status_code == 401


def test_the_subscription_is_confirmed(client):
    event = {
        "id": "1",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "42"},
    }
    assert post_events(client, event).json() == {"validationResponse": "42"}


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[1]", b"[" * 70_000])
def test_a_body_that_is_no_list_of_events_is_refused(client, body):
    url = reverse("sms:acs_events")
    assert client.post(url, body, content_type="application/json", headers=SECRET).status_code == 400


@pytest.mark.parametrize("word", ["STOP", "stop.", " Stop please ", "Unsubscribe", "no más"])
def test_stop_in_any_form_ends_the_texts(client, text, word):
    post_events(client, incoming(word))
    found = OptOut.objects.get(ended_at=None)
    assert found.phone_index == opt_outs.index_of(text.organization_id, "+16085550177")


def test_start_begins_them_again(client, text):
    post_events(client, incoming("STOP"))
    post_events(client, incoming("START", event_id="i-2"))
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_an_old_stop_that_comes_again_does_not_undo_a_start(client, text):
    post_events(client, incoming("STOP"))
    post_events(client, incoming("START", event_id="i-2"))
    post_events(client, incoming("STOP"))
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_any_other_reply_changes_nothing_but_doubt_is_shown_to_staff(client, text):
    post_events(client, incoming("please stop by at 3"), incoming("thank you", event_id="i-2"))
    assert not OptOut.objects.exists()
    unclear, other = InboundText.objects.order_by("pk")
    assert (unclear.meaning, unclear.visit_id, other.meaning) == ("unclear", text.visit_id, "other")


def test_a_text_to_a_number_that_is_not_ours_is_left_out(client, text):
    PhoneNumber.objects.update(release_requested_at=timezone.now())
    post_events(client, incoming("STOP"))
    assert not OptOut.objects.exists()
    assert not InboundText.objects.exists()


@pytest.mark.parametrize("broken", [{"data": {}}, {"data": None}, {"data": {"messageId": "m-1"}}])
def test_an_event_that_cannot_be_read_does_not_hold_up_the_others(client, text, broken):
    assert post_events(client, {**report(), **broken}, report(event_id="e-2")).status_code == 200
    text.refresh_from_db()
    assert text.state == State.DELIVERED


def test_a_report_finds_its_text_by_our_key_when_azure_never_answered(client, text):
    SmsMessage.objects.update(state=State.UNKNOWN, supplier_message_id="", check_at=timezone.now())
    event = report(message_id="m-9")
    event["data"]["Tag"] = str(text.pk)
    post_events(client, event)
    text.refresh_from_db()
    assert (text.state, text.supplier_message_id, text.report_status) == (State.DELIVERED, "m-9", "sent")
    assert text.check_at is None


def test_a_carriers_block_is_an_opt_out(client, text):
    post_events(client, report(status="Failed", details="4007: Recipient opted out"))
    assert OptOut.objects.get().source == "supplier"


def twilio_post(client, url, form, token="0" * 32, host="http://localhost:8000"):
    signature = RequestValidator(token).compute_signature(host + url, form)
    return client.post(url, form, headers={"X-Twilio-Signature": signature})


def test_twilios_own_signature_is_accepted_and_settles_an_unknown_text(client, text):
    SmsMessage.objects.update(state=State.UNKNOWN, supplier=Supplier.TWILIO, supplier_message_id="")
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+16085550177", "From": "+18335550142"}
    assert twilio_post(client, reverse("sms:twilio_status", args=[text.pk]), form).status_code == 204
    text.refresh_from_db()
    assert (text.state, text.supplier_message_id) == (State.DELIVERED, "SM1")


@pytest.mark.parametrize(
    ("token", "host"), [("1" * 32, "http://localhost:8000"), ("0" * 32, "https://evil.example.org")]
)
def test_a_callback_signed_otherwise_is_refused(client, text, token, host):
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    url = reverse("sms:twilio_status", args=[text.pk])
    assert twilio_post(client, url, form, token=token, host=host).status_code == 403


def test_twilios_statuses_may_come_in_any_order(client, text):
    SmsMessage.objects.update(supplier=Supplier.TWILIO, supplier_message_id="SM1")
    url = reverse("sms:twilio_status", args=[text.pk])
    for status in ("delivered", "sent", "queued"):
        twilio_post(client, url, {"MessageSid": "SM1", "MessageStatus": status})
    text.refresh_from_db()
    assert text.state == State.DELIVERED
    assert DeliveryEvent.objects.count() == 3


def test_a_reply_through_twilio_is_heard(client, text):
    PhoneNumber.objects.update(supplier=Supplier.TWILIO)
    form = {"MessageSid": "SM2", "From": "+16085550177", "To": "+18335550142", "Body": "STOP"}
    answer = twilio_post(client, reverse("sms:twilio_incoming"), form)
    assert answer.status_code == 200
    assert OptOut.objects.filter(ended_at=None).count() == 1


def test_a_reply_that_comes_twice_is_heard_once(client, text):
    PhoneNumber.objects.update(supplier=Supplier.TWILIO)
    form = {"MessageSid": "SM2", "From": "+16085550177", "To": "+18335550142", "Body": "STOP"}
    for _ in range(2):
        twilio_post(client, reverse("sms:twilio_incoming"), form)
    assert InboundText.objects.count() == 1


def test_a_callback_whose_body_was_altered_is_refused(client, text):
    url = reverse("sms:twilio_status", args=[text.pk])
    signature = RequestValidator("0" * 32).compute_signature(f"http://localhost:8000{url}", {"MessageStatus": "sent"})
    answer = client.post(url, {"MessageStatus": "delivered"}, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["http://localhost", "http://localhost:80"])
def test_twilio_may_sign_the_address_with_or_without_its_port(client, text, host, settings):
    settings.PUBLIC_URL = "http://localhost"
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    url = reverse("sms:twilio_status", args=[text.pk])
    assert twilio_post(client, url, form, host=host).status_code == 204


def test_a_signed_callback_of_another_kind_is_refused(client, text):
    url = reverse("sms:twilio_status", args=[text.pk])
    assert twilio_post(client, url, {"Hello": "1"}).status_code == 400


def test_only_our_own_topic_may_subscribe(client, settings):
    settings.ACS_EVENT_TOPIC = "/subscriptions/1/lamna"
    event = {
        "id": "1",
        "topic": "/subscriptions/2/other",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "42"},
    }
    assert post_events(client, event).status_code == 403
    assert post_events(client, {**event, "topic": "/SUBSCRIPTIONS/1/LAMNA"}).json() == {"validationResponse": "42"}
