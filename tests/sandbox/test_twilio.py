from collections.abc import Iterator

import pytest
from twilio.request_validator import RequestValidator

from tests.sandbox.twin import AUTH_TOKEN, fresh_phone

pytestmark = pytest.mark.xdist_group("sandbox")


def is_signed(delivery) -> bool:
    validator = RequestValidator(AUTH_TOKEN)
    return bool(validator.validate(delivery.url, delivery.form, delivery.headers["X-Twilio-Signature"]))


@pytest.fixture
def number(twin) -> Iterator[str]:
    """A toll-free number, bought for the test and given back."""
    offered = twin.twilio("GET", "AvailablePhoneNumbers/US/TollFree.json", SmsEnabled="true").json()
    form = {
        "PhoneNumber": offered["available_phone_numbers"][0]["phone_number"],
        "SmsUrl": f"{twin.webhook}/inbound",
    }
    bought = twin.twilio("POST", "IncomingPhoneNumbers.json", form).json()
    yield bought["phone_number"]
    twin.twilio("DELETE", f"IncomingPhoneNumbers/{bought['sid']}.json")


def send(twin, number: str, phone: str, **changes: str):
    callback = f"{twin.webhook}/status?key=a%20b"
    form = {"From": number, "To": phone, "Body": "Your video visit", "StatusCallback": callback, **changes}
    return twin.twilio("POST", "Messages.json", form)


def test_a_text_is_sent_delivered_and_signed_for(twin, listener, number):
    phone = fresh_phone()

    answer = send(twin, number, phone)

    sent, delivered = listener.take(), listener.take()
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert [one.form["MessageStatus"] for one in (sent, delivered)] == ["sent", "delivered"]
    assert is_signed(sent)
    assert is_signed(delivered)
    sid = answer.json()["sid"]
    assert sent.form["MessageSid"] == sid
    assert twin.twilio("GET", f"Messages/{sid}.json").json()["status"] == "delivered"
    assert [text["text"] for text in twin.phone(phone)] == ["Your video visit"]
    assert twin.entries("twilio", "sms_accepted", key=phone)[0]["data"]["message_id"] == sid


def test_an_unreachable_phone_has_an_error_code(twin, listener, number):
    send(twin, number, fresh_phone("0199"))

    listener.take()
    undelivered = listener.take()
    assert (undelivered.form["MessageStatus"], undelivered.form["ErrorCode"]) == ("undelivered", "30003")


def test_a_sent_text_is_found_again_by_its_two_ends(twin, number):
    phone = fresh_phone()
    sid = send(twin, number, phone).json()["sid"]

    found = twin.twilio("GET", "Messages.json", To=phone, From=number).json()["messages"]
    others = twin.twilio("GET", "Messages.json", To=fresh_phone(), From=number).json()["messages"]

    assert [text["sid"] for text in found] == [sid]
    assert others == []


def test_stop_is_told_kept_and_lifted_by_start(twin, listener, number):
    phone = fresh_phone()
    send(twin, number, phone, StatusCallback="")
    assert twin.entries("twilio", "sms_accepted", key=phone)
    twin.reply(phone, "unsubscribe")

    inbound = listener.take()
    refused = send(twin, number, phone)

    assert is_signed(inbound)
    assert (inbound.form["Body"], inbound.form["OptOutType"]) == ("unsubscribe", "STOP")
    assert (refused.status_code, refused.json()["code"]) == (400, 21610)
    twin.reply(phone, "START")
    assert send(twin, number, phone).status_code == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "5550177"}, 21211),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"From": "+18445550101"}, 21606),
    ],
)
def test_a_request_twilio_would_refuse_is_refused_with_its_code(twin, number, changes, code):
    answer = send(twin, number, fresh_phone(), **changes)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_wrong_token_is_refused(twin):
    url = f"{twin.url}/twilio/2010-04-01/Accounts/AC{'1' * 32}/Messages.json"

    answer = twin.http.get(url, auth=(f"AC{'1' * 32}", "wrong"), timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_a_number_is_sold_once(twin, number):
    again = twin.twilio("POST", "IncomingPhoneNumbers.json", {"PhoneNumber": number})

    assert (again.status_code, again.json()["code"]) == (400, 21422)


@pytest.mark.parametrize(("fault", "code"), [("throttle", 20429), ("error", 20500)])
def test_twilio_can_be_busy_or_broken(twin, fault, code):
    twin.put_faults({"twilio.http": fault})

    assert twin.twilio("GET", "Messages.json").json()["code"] == code


def test_callbacks_may_come_in_the_wrong_order(twin, listener, number):
    twin.put_faults({"twilio.reports": "reorder"})

    send(twin, number, fresh_phone())

    assert [listener.take().form["MessageStatus"] for _ in range(2)] == ["delivered", "sent"]
