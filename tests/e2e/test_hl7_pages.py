"""HL7 messages, senders and certificates, as administrators and support staff see them."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.staff import sign_in
from tests.hl7intake.messages import MOVED, NEW, PHONE_DELETED, change, load
from tests.hl7intake.pki import client_context, make_identity
from tests.hl7intake.test_senders import knock
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("stack")
ADMIN, ANALYST, SUPPORT = (f"{name}@lamna.example.org" for name in ("avery.reed", "dana.ortiz", "kim.soto"))
SESSION = "482209001"


def send(stack, tmp_path, name: str, raw: bytes) -> None:
    """Send one message as the hospital's interface engine, with the command that analysts use."""
    path = tmp_path / f"{name}.hl7"
    path.write_bytes(raw)
    tls = stack.tls
    way = ["--port", str(stack.mllp_port), "--cert", f"{tls / 'bridges.crt'}", "--key", f"{tls / 'bridges.key'}"]
    sent = stack.manage("send_hl7", str(path), *way, "--server-cert", str(tls / "listener.crt"))
    assert f" {name}" in sent.stdout, sent.stderr


def about(name: str, control_id: str, *changes: tuple[str, int, str]) -> bytes:
    own = [("MSH", 10, control_id), ("SCH", 1, SESSION), ("SCH", 2, SESSION), ("PV1", 19, SESSION)]
    return change(load(name), *own, *changes)


@pytest.fixture(scope="module")
def _sent(stack, tmp_path_factory):
    """Four messages about one appointment; the last one is refused."""
    folder = tmp_path_factory.mktemp("sent")
    # The organization keeps refused texts, as its administrator would have said.
    stack.query(
        "INSERT INTO hl7intake_rawretention (organization_id, hours) SELECT id, 24 FROM config_portal_organization"
        " ON CONFLICT DO NOTHING RETURNING 1"
    )
    send(stack, folder, "E2E1", about(NEW, "E2E1", ("AIS", 4, "20260921150000")))
    send(stack, folder, "E2E2", about(MOVED, "E2E2"))
    send(stack, folder, "E2E3", about(PHONE_DELETED, "E2E3"))
    send(stack, folder, "E2E4", about(NEW, "E2E4", ("SCH", 11, ""), ("AIS", 4, ""), ("AIP", 6, "")))
    until(lambda: stack.query("SELECT 1 FROM hl7intake_inboundmessage WHERE control_id='E2E3' AND state<>'received'"))


@pytest.mark.usefixtures("_sent")
def test_messages_are_found_explained_and_compared(stack, person, inspector):
    with person("support") as page:
        sign_in(page, stack, SUPPORT)
        page.get_by_role("link", name="HL7 messages").click()
        expect(page.get_by_role("link", name="E2E4")).to_be_visible()
        inspector.look(page, "hl7-inbox")
        page.goto(f"{stack.web}/messages/hl7/?control_id=none-such")
        inspector.look(page, "hl7-inbox-empty")
        page.goto(f"{stack.web}/messages/hl7/?visit={SESSION}")
        page.get_by_role("link", name="E2E1").click()
        expect(page.get_by_text("The visit is as this message says")).to_be_visible()
        inspector.look(page, "hl7-message")
        page.get_by_role("link", name="Compare with E2E2").click()
        expect(page.get_by_role("heading", name="What changed")).to_be_visible()
        inspector.look(page, "hl7-compare")


@pytest.mark.usefixtures("_sent")
def test_the_text_of_a_refused_message_is_shown_with_a_reason(stack, person, inspector):
    with person("support") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/messages/hl7/?control_id=E2E4")
        page.get_by_role("link", name="E2E4").click()
        inspector.look(page, "hl7-refused")
        page.get_by_role("link", name="Show its text").click()
        page.get_by_role("button", name="Show the text").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        inspector.look(page, "hl7-text-reason")
        page.get_by_label("Why do you need to see it?").fill("Ticket 4711")
        page.get_by_role("button", name="Show the text").click()
        expect(page.get_by_text("RIVERA^ELENA").first).to_be_visible()
        inspector.look(page, "hl7-text")
        page.goto(f"{stack.web}/messages/hl7/replay?outcome=rejected&control_id=E2E4")
        expect(page.get_by_role("button", name="Replay 1 message")).to_be_visible()
        inspector.look(page, "hl7-replay")


def test_a_sender_is_tested_and_refused_ones_are_seen(stack, person, inspector, tmp_path):
    knock(stack.mllp_port, client_context(make_identity("stranger.example.org"), tmp_path))
    until(lambda: stack.query("SELECT 1 FROM hl7intake_refusedsender"))
    with person("analyst") as page:
        sign_in(page, stack, ANALYST)
        page.goto(f"{stack.web}/messages/hl7/senders")
        card = page.locator("#sender-lamna-test")
        card.get_by_role("button", name="Send a test message").click()
        expect(page.get_by_text(re.compile(r"TEST-\S+ was answered AA in \d+ ms"))).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("TEST-"))).to_be_visible()
        page.get_by_role("link", name="Senders").click()
        inspector.look(page, "hl7-senders-analyst")
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/messages/hl7/senders")
        expect(page.get_by_role("cell", name=re.compile("Certificate is not registered")).first).to_be_visible()
        inspector.look(page, "hl7-senders")


def test_a_message_is_checked_before_it_is_sent(stack, person, inspector):
    with person("analyst") as page:
        sign_in(page, stack, ANALYST)
        page.goto(f"{stack.web}/messages/hl7/check")
        inspector.look(page, "hl7-check")
        page.get_by_label("Message", exact=True).fill(load(NEW).decode().replace("\r", "\n"))
        page.get_by_role("button", name="Check this message").click()
        expect(page.get_by_text("It would be accepted")).to_be_visible()
        assert "RIVERA" not in page.locator(".segment").first.inner_text()
        inspector.look(page, "hl7-check-accepted")
        page.get_by_label("Message", exact=True).fill("Hello")
        page.get_by_role("button", name="Check this message").click()
        expect(page.get_by_text("It would be refused")).to_be_visible()
        inspector.look(page, "hl7-check-refused")


@pytest.fixture
def engine(tmp_path):
    """A new interface engine: where its certificate and key are."""
    return make_identity("engine-two.lamna.example.org").write(tmp_path, "engine")


def test_what_is_in_a_file_is_shown_before_it_counts(stack, person, inspector, engine):
    certificate, key = engine
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/")
        page.get_by_role("listitem").filter(has_text="Sender certificates").get_by_role("link").click()
        expect(page.get_by_role("heading", name="Sender certificates", level=1)).to_be_visible()
        inspector.look(page, "certificates")
        page.locator("#lamna-test").get_by_role("link", name="Upload a certificate").click()
        page.get_by_label("Certificate file").set_input_files(key)
        page.get_by_role("button", name="Show what is in it").click()
        expect(page.get_by_role("link", name=re.compile("The file holds a private key"))).to_be_visible()
        inspector.look(page, "certificate-refused")
        page.get_by_label("Certificate file").set_input_files(certificate)
        page.get_by_role("button", name="Show what is in it").click()
        expect(page.get_by_text("CN=engine-two.lamna.example.org").first).to_be_visible()
        inspector.look(page, "certificate-confirm")


def test_a_certificate_is_uploaded_used_and_revoked_without_a_restart(stack, person, inspector, engine, tmp_path):
    certificate, key = engine
    message = tmp_path / "second.hl7"
    message.write_bytes(change(load(NEW), ("MSH", 10, "E2E9"), ("MSH", 9, "SIU^S23")))
    way = ["--port", str(stack.mllp_port), "--cert", str(certificate), "--key", str(key)]
    way += ["--server-cert", str(stack.tls / "listener.crt")]
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/certificates/")
        page.locator("#lamna-test").get_by_role("link", name="Upload a certificate").click()
        page.get_by_label("Certificate file").set_input_files(certificate)
        page.get_by_role("button", name="Show what is in it").click()
        page.get_by_role("button", name="Let it send for lamna-test").click()
        expect(page.get_by_text("engine-two.lamna.example.org may send for lamna-test")).to_be_visible()
        sent = stack.manage("send_hl7", str(message), *way)
        assert "AA E2E9" in sent.stdout, sent.stderr
        page.goto(f"{stack.web}/setup/certificates/")
        row = page.get_by_role("listitem").filter(has_text="engine-two")
        expect(row.get_by_text(re.compile("Last message .* minutes? ago"))).to_be_visible()
        row.get_by_text("Subject, validity and fingerprint").click()
        inspector.look(page, "certificates-two")
        row.get_by_role("link", name="Revoke engine-two.lamna.example.org").click()
        inspector.look(page, "certificate-revoke")
        page.get_by_role("button", name="Revoke this certificate").click()
        expect(page.get_by_text("is refused from now on")).to_be_visible()
        until(lambda: stack.manage("send_hl7", str(message), *way).returncode == 1)
