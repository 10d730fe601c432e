"""One contract for every SMS supplier: the adapter against the twin, over a real socket."""

import asyncio
import json
import logging
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from core.errors import ConfigurationError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from core.http import build_session
from core.http_async import AsyncClient
from core.outbound import OutboundPolicy
from sms.keywords import Meaning, understand
from sms.providers import acs, twilio
from sms.providers.acs import AcsProvider, AcsResource
from sms.providers.base import Delivery, Fault, OutgoingText, Reason, SmsProvider, TextRefused
from sms.providers.twilio import TwilioProvider
from tests.sandbox.listener import Listener
from tests.sandbox.twin import ACCOUNT, ACS_KEY, AUTH_TOKEN, SERVICE, Twin

pytestmark = pytest.mark.xdist_group("sandbox")
# Each is taken once, so that no test meets what another one did to a phone.
PHONES = iter([f"+1{area}555{line:04}" for area in ("262", "414", "715", "920") for line in range(100, 197)])
LOOPBACK = OutboundPolicy.parse(["127.0.0.0/8"], allow_http=True)


@dataclass(frozen=True)
class Supplier:
    """An adapter, its name at the twin, and a number that belongs to the customer."""

    name: str
    provider: SmsProvider
    number: str


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def twin(sandbox, listener):
    twin = Twin(sandbox.url, webhook=listener.url)
    yield twin
    twin.close()


@pytest.fixture(params=["acs", "twilio"])
def supplier(request, twin):
    session = build_session(LOOPBACK)
    providers = {
        "acs": Supplier(
            "acs",
            AcsProvider(session, AcsResource(endpoint=f"{twin.url}/acs", access_key=ACS_KEY)),
            number="+18335550100",
        ),
        "twilio": Supplier(
            "twilio",
            TwilioProvider(session, base_url=f"{twin.url}/twilio", account_sid=ACCOUNT, auth_token=AUTH_TOKEN),
            number="+18445550100",
        ),
    }
    yield providers[request.param]
    session.close()


@pytest.fixture
def text(supplier, draft):
    """A text through the supplier to a phone that nobody else uses."""
    return replace(draft, sender=supplier.number)


@pytest.fixture
def draft(listener):
    """A text through Azure to a phone that nobody else uses."""
    return OutgoingText(
        to=next(PHONES),
        sender="+18335550100",
        body="Lamna Healthcare: your video visit is Mon Sep 21, 2:00 PM CDT.",
        key=uuid.uuid4(),
        reference=str(uuid.uuid4()),
        first_sent_at=datetime.now(UTC),
        receipt_url=f"{listener.url}/twilio",
    )


def test_a_text_is_accepted_and_the_supplier_really_has_it(twin, supplier, text):
    accepted = supplier.provider.send(text)
    (entry,) = twin.entries(supplier.name, "sms_accepted", key=text.to)
    assert entry["data"]["message_id"] == accepted.message_id
    assert entry["data"]["text"] == text.body


def test_the_receipt_says_that_it_was_delivered(supplier, text, listener):
    accepted = supplier.provider.send(text)
    report = None
    while report is None or report.delivery != Delivery.DELIVERED:
        delivery = listener.take(about=accepted.message_id)
        if supplier.name == "acs":
            report = acs.parse_report(json.loads(delivery.body)[0])
        else:
            report = twilio.parse_report(delivery.form, at=datetime.now(UTC))
    assert report.message_id == accepted.message_id


def test_the_receipt_of_a_phone_that_cannot_be_reached_says_so(supplier, text, listener):
    accepted = supplier.provider.send(replace(text, to="+16085550199"))
    report = None
    while report is None or report.delivery in {Delivery.SENT, Delivery.UNKNOWN}:
        delivery = listener.take(about=accepted.message_id)
        if supplier.name == "acs":
            report = acs.parse_report(json.loads(delivery.body)[0])
        else:
            report = twilio.parse_report(delivery.form, at=datetime.now(UTC))
    assert report.delivery == Delivery.UNDELIVERED
    assert report.code


def test_a_number_that_is_none_is_refused_for_good(supplier, text):
    with pytest.raises(UpstreamRejected):
        supplier.provider.send(replace(text, to="+1608"))


def test_a_supplier_that_is_busy_may_be_asked_again(twin, supplier, text):
    twin.put_faults({f"{supplier.name}.http": "throttle"})
    with pytest.raises(UpstreamUnavailable):
        supplier.provider.send(text)
    twin.put_faults()
    assert supplier.provider.send(text).message_id


def test_a_broken_supplier_may_be_asked_again_only_where_it_recognises_our_key(twin, supplier, text):
    twin.put_faults({f"{supplier.name}.http": "error"})
    with pytest.raises(UpstreamUnavailable if supplier.provider.is_idempotent else OutcomeUnknown):
        supplier.provider.send(text)
    twin.put_faults()
    assert supplier.provider.send(text).message_id


def test_the_same_key_twice_is_one_text_exactly_where_the_adapter_says_so(twin, supplier, text):
    first, second = supplier.provider.send(text), supplier.provider.send(text)
    assert (first.message_id == second.message_id) == supplier.provider.is_idempotent
    sent = {entry["data"]["message_id"] for entry in twin.entries(supplier.name, "sms_accepted", key=text.to)}
    assert len(sent) == (1 if supplier.provider.is_idempotent else 2)


def test_an_answer_that_never_comes_leaves_the_outcome_unknown_though_the_text_was_taken(
    twin, supplier, text, monkeypatch
):
    monkeypatch.setattr("core.http.READ_SECONDS", 1.0)
    twin.put_faults({f"{supplier.name}.send": "hang"})
    with pytest.raises(OutcomeUnknown):
        supplier.provider.send(text)
    assert len(twin.entries(supplier.name, "sms_accepted", key=text.to)) == 1


def test_a_text_whose_answer_was_lost_is_found_again_and_not_sent_twice(twin, supplier, text):
    sent = supplier.provider.send(text)  # and the answer was lost
    assert supplier.provider.settle(text) == sent
    assert len(twin.entries(supplier.name, "sms_accepted", key=text.to)) == 1


def test_a_text_that_was_never_taken_is_not_mistaken_for_another(twin, supplier, text):
    other = supplier.provider.send(replace(text, key=uuid.uuid4(), body="another text"))
    settled = supplier.provider.settle(text, known_ids=[other.message_id])
    if supplier.provider.is_idempotent:
        assert settled is not None  # asking is sending, once
        assert settled.message_id != other.message_id
    else:
        assert settled is None


def test_hundreds_at_once_are_read_like_one(twin, supplier, text):
    """The two halves of sending, with the other client in between."""
    texts = [replace(text, key=uuid.uuid4(), body=f"text {n}") for n in range(20)]

    async def send_all():
        async with AsyncClient(LOOPBACK, parallel=20) as client:
            calls = [client.call(supplier.provider.request(each), system=supplier.name) for each in texts]
            return [supplier.provider.read(answer) for answer in await asyncio.gather(*calls)]

    accepted = {acceptance.message_id for acceptance in asyncio.run(send_all())}
    entries = twin.entries(supplier.name, "sms_accepted", key=text.to)
    assert {entry["data"]["message_id"] for entry in entries} == accepted
    assert len(accepted) == 20


@pytest.mark.parametrize(
    ("words", "meaning"), [("STOP", Meaning.STOP), ("please stop texting me", Meaning.STOP), ("START", Meaning.START)]
)
def test_a_phones_answer_reaches_us_with_its_meaning(twin, supplier, text, listener, words, meaning):
    if supplier.name == "twilio":
        (number,) = twin.twilio("GET", "IncomingPhoneNumbers.json", PhoneNumber=text.sender).json()[
            "incoming_phone_numbers"
        ]
        twin.twilio("POST", f"IncomingPhoneNumbers/{number['sid']}.json", {"SmsUrl": f"{listener.url}/in"})
    supplier.provider.send(text)
    twin.reply(text.to, words).raise_for_status()
    while True:
        delivery = listener.take()
        if supplier.name == "acs":
            incoming = acs.parse_incoming(delivery.json[0])
        else:
            incoming = twilio.parse_incoming(delivery.form) if "Body" in delivery.form else None
        if incoming is not None and incoming.sender == text.to:
            break
    assert (incoming.recipient, incoming.body) == (text.sender, words)
    assert understand(incoming.body).meaning == meaning


def test_after_stop_the_network_refuses_and_we_are_told_why(twin, supplier, text, listener):
    supplier.provider.send(text)
    twin.reply(text.to, "STOP").raise_for_status()
    again = replace(text, key=uuid.uuid4())
    if supplier.name == "twilio":
        with pytest.raises(TextRefused, match=r"sms\.opted_out") as refused:
            supplier.provider.send(again)
        assert refused.value.fault == Fault.OPTED_OUT
        return
    accepted = supplier.provider.send(again)
    while (report := acs.parse_report(listener.take(about=accepted.message_id).json[0])) is None:
        pass
    assert (report.fault, report.reason, report.code) == (Fault.OPTED_OUT, Reason.BLOCKED_BY_RECIPIENT, "4007")


def azure(**way):
    return AcsProvider(build_session(LOOPBACK), AcsResource(**way))


def test_azure_keeps_opt_outs_that_we_tell_it(twin, draft):
    provider = azure(endpoint=f"{twin.url}/acs", access_key=ACS_KEY)
    way = {"sender": "+18335550100", "phone": draft.to}
    assert not provider.is_blocked(**way)
    assert provider.block(**way)
    assert provider.is_blocked(**way)
    assert provider.unblock(**way)
    assert not provider.is_blocked(**way)


def test_azure_takes_an_entra_token_in_place_of_a_key(twin, draft):
    provider = azure(endpoint=f"{twin.url}/acs", token=lambda: twin.graph_token(scope=acs.TOKEN_SCOPE))
    assert provider.send(replace(draft, sender="+18335550100")).message_id


def test_twilio_sends_from_a_messaging_service(twin, draft):
    provider = TwilioProvider(
        build_session(LOOPBACK), base_url=f"{twin.url}/twilio", account_sid=ACCOUNT, auth_token=AUTH_TOKEN
    )
    accepted = provider.send(replace(draft, messaging_service=SERVICE, valid_seconds=600))
    (entry,) = twin.entries("twilio", "sms_accepted", key=draft.to)
    assert (entry["data"]["from"], entry["data"]["message_id"]) == ("+18445550100", accepted.message_id)
    assert provider.settle(replace(draft, messaging_service=SERVICE)) == accepted


def test_our_forms_have_no_field_that_twilios_own_library_does_not_know(draft):
    class Capture(HttpClient):
        def __init__(self):
            super().__init__(logging.getLogger("twilio"), is_async=False)

        def request(self, method, url, data=None, **_):
            self.form = data
            return Response(201, "{}")

    capture = Capture()
    client = Client(ACCOUNT, AUTH_TOKEN, http_client=capture)
    client.messages.create(
        to="+1", from_="+1", messaging_service_sid="MG1", body="b", status_callback="u", validity_period=1
    )
    provider = TwilioProvider(build_session(LOOPBACK), base_url="http://x", account_sid=ACCOUNT, auth_token=AUTH_TOKEN)
    for ours in (draft, replace(draft, messaging_service=SERVICE, valid_seconds=60)):
        assert set(dict(parse_qsl(provider.request(ours).body.decode()))) <= set(capture.form)


def test_our_requests_to_azure_have_the_documented_fields(draft):
    provider = azure(endpoint="http://x", access_key=ACS_KEY)
    body = json.loads(provider.request(draft).body)
    assert set(body) == {"from", "smsRecipients", "message", "smsSendOptions"}
    assert set(body["smsRecipients"][0]) == {"to", "repeatabilityRequestId", "repeatabilityFirstSent"}
    assert set(body["smsSendOptions"]) == {"enableDeliveryReport", "tag"}


def test_a_wrong_key_is_a_matter_of_configuration(twin, draft):
    provider = azure(endpoint=f"{twin.url}/acs", access_key="d3Jvbmc=")
    with pytest.raises(ConfigurationError, match=r"acs\.not_authorized"):
        provider.send(replace(draft, sender="+18335550100"))
