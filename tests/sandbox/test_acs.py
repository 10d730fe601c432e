import base64
import time
import uuid
from urllib.parse import quote

import pytest
import requests

from tests.sandbox.twin import ACS_NUMBER, fresh_phone

pytestmark = pytest.mark.xdist_group("sandbox")

SEND = "/sms?api-version=2026-01-23"
NUMBERS = "api-version=2025-06-01"


def message(*recipients: str, **changes: object) -> dict:
    return {
        "from": ACS_NUMBER,
        "message": "Lamna Healthcare: your video visit. https://visits.lamna.example.org/j/abc",
        "smsRecipients": [{"to": phone} for phone in recipients],
        "smsSendOptions": {"enableDeliveryReport": True, "tag": "an opaque id"},
        **changes,
    }


def repeatable(phone: str, request_id: str) -> dict:
    return {
        "to": phone,
        "repeatabilityRequestId": request_id,
        "repeatabilityFirstSent": "Tue, 24 Nov 2026 14:00:00 GMT",
    }


def finished(twin, operation: str) -> dict:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = twin.acs("GET", f"/phoneNumbers/operations/{operation}?{NUMBERS}").json()
        if answer["status"] not in ("running", "notStarted"):
            return answer
        time.sleep(0.1)
    raise AssertionError("the operation did not finish")


def test_a_text_reaches_the_phone_and_is_reported(twin, listener):
    phone = fresh_phone()

    [result] = twin.acs("POST", SEND, message(phone)).json()["value"]

    delivery = listener.take(about=phone[1:])
    [event] = delivery.json
    assert (result["httpStatusCode"], result["successful"]) == (202, True)
    assert (delivery.headers["aeg-event-type"], delivery.headers["X-Webhook-Secret"]) == (
        "Notification",
        "a webhook secret",
    )
    assert event["data"]["messageId"] == result["messageId"]
    assert event["data"]["from"] == ACS_NUMBER.removeprefix("+")
    assert (event["data"]["deliveryStatus"], event["data"]["Tag"]) == ("Delivered", "an opaque id")
    [text] = twin.phone(phone)
    assert text["links"] == ["https://visits.lamna.example.org/j/abc"]
    [accepted] = twin.entries("acs", "sms_accepted", key=phone)
    assert accepted["data"]["message_id"] == result["messageId"]
    [reported] = twin.entries("acs", "report_sent", key=phone)
    assert reported["data"] == {"message_id": result["messageId"], "status": "Delivered", "http_status": 202}


@pytest.mark.parametrize(("ending", "code"), [("0199", "4006"), ("0198", "4005"), ("0197", "4004")])
def test_some_phones_never_get_a_text(twin, listener, ending, code):
    phone = fresh_phone(ending)

    twin.acs("POST", SEND, message(phone))

    [event] = listener.take(about=phone[1:]).json
    assert event["data"]["deliveryStatus"] == "Failed"
    assert event["data"]["deliveryStatusDetails"].startswith(code)
    assert twin.phone(phone) == []


def test_a_bad_recipient_fails_inside_the_202(twin):
    answer = twin.acs("POST", SEND, message("5550177", fresh_phone()))

    bad, good = answer.json()["value"]
    assert answer.status_code == 202
    assert (bad["successful"], bad["httpStatusCode"]) == (False, 400)
    assert good["successful"] is True


def test_a_repeated_request_is_the_same_text(twin, listener):
    phone, request_id = fresh_phone(), str(uuid.uuid4())
    body = message(smsRecipients=[repeatable(phone, request_id)])

    [first] = twin.acs("POST", SEND, body).json()["value"]
    [again] = twin.acs("POST", SEND, body).json()["value"]
    [other] = twin.acs("POST", SEND, {**body, "message": "something else"}).json()["value"]

    assert again == first
    assert first["repeatabilityResult"] == "accepted"
    assert (other["repeatabilityResult"], other["successful"]) == ("rejected", False)
    listener.take(about=phone[1:])
    assert len(twin.phone(phone)) == 1


def test_a_request_that_is_not_proven_is_refused(twin):
    other_key = base64.b64encode(b"another key").decode()

    wrong = twin.acs("POST", SEND, message(fresh_phone()), key=other_key)
    missing = twin.http.post(f"{twin.url}/acs{SEND}", json=message(fresh_phone()), timeout=10)

    assert (wrong.status_code, missing.status_code) == (401, 401)


@pytest.mark.parametrize(
    "body",
    [
        {},
        message(),
        message(fresh_phone(), message="x" * 2049),
        message(fresh_phone(), smsSendOptions={"tag": "x"}),
        message(*[fresh_phone()] * 101),
    ],
    ids=["empty", "nobody", "too long", "half an option", "too many"],
)
def test_a_malformed_request_is_refused_as_a_whole(twin, body):
    assert twin.acs("POST", SEND, body).status_code == 400


def test_a_number_of_somebody_else_cannot_send(twin):
    assert twin.acs("POST", SEND, message(fresh_phone(), **{"from": "+18335550101"})).status_code == 401


def test_stop_blocks_and_start_resumes(twin, listener):
    phone = fresh_phone()
    twin.acs("POST", SEND, message(phone))
    listener.take(about=phone[1:])
    check = {"from": ACS_NUMBER, "recipients": [{"to": phone}]}

    twin.reply(phone, "Stop")

    [inbound] = listener.take(about=phone[1:]).json
    assert inbound["eventType"] == "Microsoft.Communication.SMSReceived"
    assert inbound["data"]["from"] == phone.removeprefix("+")
    [state] = twin.acs("POST", "/sms/optouts:check?api-version=2026-01-23", check).json()["value"]
    assert state["isOptedOut"] is True
    twin.acs("POST", SEND, message(phone))
    assert (
        listener.take(about=phone[1:]).json[0]["data"]["deliveryStatusDetails"]
        == "4007: Sender blocked for given recipient."
    )
    twin.reply(phone, "START")
    listener.take(about=phone[1:])
    twin.acs("POST", SEND, message(phone))
    assert listener.take(about=phone[1:]).json[0]["data"]["deliveryStatus"] == "Delivered"


def test_opt_outs_can_be_added_and_removed(twin):
    body = {"from": ACS_NUMBER, "recipients": [{"to": fresh_phone()}]}

    states = []
    for action in ("add", "check", "remove", "check"):
        [result] = twin.acs("POST", f"/sms/optouts:{action}?api-version=2026-01-23", body).json()["value"]
        states.append(result.get("isOptedOut"))

    assert states == [None, True, None, False]


def test_a_webhook_that_fails_the_handshake_gets_nothing(twin, listener):
    listener.echoes = False

    phone = fresh_phone()
    twin.acs("POST", SEND, message(phone))

    assert twin.entries("acs", "webhook_refused")
    assert listener.is_quiet()
    listener.echoes = True
    assert listener.take(about=phone[1:]).json[0]["data"]["deliveryStatus"] == "Delivered"


def test_an_accepted_request_may_hang(twin, listener):
    phone = fresh_phone()
    twin.put_faults({"acs.send": "hang"})

    with pytest.raises(requests.ReadTimeout):
        twin.acs("POST", SEND, message(phone), timeout=1.5)

    assert listener.take(about=phone[1:]).json[0]["data"]["to"] == phone


@pytest.mark.parametrize(("fault", "status"), [("throttle", 429), ("error", 500)])
def test_acs_can_be_busy_or_broken(twin, fault, status):
    twin.put_faults({"acs.http": fault})

    assert twin.acs("POST", SEND, message(fresh_phone())).status_code == status


def test_a_number_is_searched_bought_listed_and_released(twin):
    search = {"phoneNumberType": "tollFree", "assignmentType": "application", "capabilities": {"sms": "outbound"}}

    started = twin.acs("POST", f"/availablePhoneNumbers/countries/US/:search?{NUMBERS}", search)
    assert finished(twin, started.headers["operation-id"])["status"] == "succeeded"
    search_id = started.headers["search-id"]
    [number] = twin.acs("GET", f"/availablePhoneNumbers/searchResults/{search_id}?{NUMBERS}").json()["phoneNumbers"]
    bought = twin.acs("POST", f"/availablePhoneNumbers/:purchase?{NUMBERS}", {"searchId": search_id})
    assert finished(twin, bought.headers["operation-id"])["status"] == "succeeded"
    listed = twin.acs("GET", f"/phoneNumbers?{NUMBERS}").json()["phoneNumbers"]
    assert number in [one["phoneNumber"] for one in listed]
    assert twin.acs("POST", SEND, message(fresh_phone(), **{"from": number})).status_code == 202
    released = twin.acs("DELETE", f"/phoneNumbers/{quote(number)}?{NUMBERS}")
    assert finished(twin, released.headers["operation-id"])["status"] == "succeeded"
    assert twin.acs("POST", SEND, message(fresh_phone(), **{"from": number})).status_code == 401


def test_a_search_can_find_nothing(twin):
    twin.put_faults({"acs.numbers": "out_of_stock"})
    search = {"phoneNumberType": "tollFree", "assignmentType": "application", "capabilities": {"sms": "outbound"}}

    started = twin.acs("POST", f"/availablePhoneNumbers/countries/US/:search?{NUMBERS}", search)

    assert finished(twin, started.headers["operation-id"])["error"]["code"] == "OutOfStock"
