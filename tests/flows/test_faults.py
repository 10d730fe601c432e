"""What breaks in real life, broken on purpose: nothing is lost, and it is visible."""

import re
import ssl

import pytest
from hl7.client import MLLPClient

from ehrconnector.visit_player.browser import Browser
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("stack")
PHONE = "+16085550177"


def book(twin):
    """Book a visit whose message must be acknowledged; its text comes when it can."""
    booked = twin.book(environment="test", starts_in_minutes=20, minutes=30, patient="rivera", provider="okafor")
    assert booked["ack"]["code"] == "AA"
    return booked


def book_and_text(twin):
    """Book a visit and wait for its text, so that it does not arrive in the middle of another test."""
    after = twin.last()
    booked = book(twin)
    twin.wait("acs", "sms_accepted", after=after, key=PHONE)
    return booked


def texts_of(stack, control_id):
    return stack.query(
        "SELECT s.state, s.error_code FROM sms_smsmessage s JOIN hl7intake_inboundmessage m ON m.visit_id = s.visit_id"
        " WHERE m.control_id = %s AND s.kind = 'scheduled'",
        control_id,
    )


def test_without_redis_messages_are_stored_and_acknowledged_and_sent_once_it_is_back(stack, twin, after):
    stack.redis.off()
    booked = book(twin)
    until(lambda: texts_of(stack, booked["control_id"]) == [("pending", "")])
    stack.redis.on()
    assert len(twin.wait("acs", "sms_accepted", after=after, key=PHONE)) == 1
    until(lambda: texts_of(stack, booked["control_id"]) == [("delivered", "")])
    assert len(twin.seen("acs", "sms_accepted", after=after, key=PHONE)) == 1


def test_while_the_supplier_is_away_texts_wait_visibly_and_go_out_once_afterwards(stack, twin, after):
    stack.twin.off()
    booked = book(twin)
    until(lambda: texts_of(stack, booked["control_id"]) == [("pending", "acs.unreachable")])
    stack.twin.on()
    assert len(twin.wait("acs", "sms_accepted", after=after, key=PHONE)) == 1


def test_a_status_that_epic_cannot_take_is_kept_and_told_later_in_order(stack, twin, after):
    twin.set_faults({"epic.connection_status": "busy"})
    played = stack.manage("play_visit", "--json", "--until", "Both leave")
    assert played.returncode == 0, played.stdout
    until(lambda: stack.query("SELECT count(*) FROM writeback_writebackevent WHERE error_code = 'epic.failing'")[0][0])
    twin.set_faults({})
    told = twin.wait("epic", "connection_status", after=after, count=4)
    people = {entry["data"]["external_id"] for entry in told}
    for person in people:
        assert [entry["data"]["status"] for entry in told if entry["data"]["external_id"] == person] == ["1", "2"]


def send_raw(stack, message):
    context = ssl.create_default_context(cafile=str(stack.tls / "listener.crt"))
    context.load_cert_chain(stack.tls / "bridges.crt", stack.tls / "bridges.key")
    client = MLLPClient("localhost", stack.mllp_port)
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    with client:
        return client.send(b"\x0b" + message + b"\x1c\r").decode()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"this is not HL7", "AR"),
        (b"MSH|^~\\&|EPIC|LAMNA|X|Y|20260914103012||ADT^A01|bad-1|T|2.3\r", "AR"),
        (b"MSH|^~\\&|EPIC|LAMNA|X|Y|20260914103012||SIU^S12|bad-2|T|2.3\rSCH|1|1\r", "AE"),
    ],
)
def test_a_message_that_cannot_be_read_is_answered_with_the_reason_and_stores_no_visit(stack, twin, message, code):
    before = stack.query("SELECT count(*) FROM visits_visit")
    answer = send_raw(stack, message)
    assert f"MSA|{code}|" in answer
    assert stack.query("SELECT count(*) FROM visits_visit") == before
    book_and_text(twin)  # the listener is alive


def test_a_launch_from_another_epic_is_a_page_with_a_reference_that_the_audit_trail_knows(stack, twin):
    address = twin.launch(book_and_text(twin)["csn"], audience="provider").replace("epic%2Ftest", "epic%2Fproduction")
    page = Browser().open(address)
    assert page.status == 400
    reference = re.search(r"[2-9B-Z]{3}-[2-9B-Z]{4}", page.text).group()
    ((code,),) = stack.query("SELECT data->>'code' FROM core_auditevent WHERE reference = %s", reference)
    assert code == "launch.wrong_environment"


def test_a_launch_that_was_used_is_refused_by_a_human_page(stack, twin):
    address = twin.launch(book_and_text(twin)["csn"], audience="provider")
    assert Browser().open(address).status == 200
    again = Browser().open(address)
    assert again.status == 400
    assert "Epic" in again.text
    assert re.search(r"[2-9B-Z]{3}-[2-9B-Z]{4}", again.text)
