"""What the demonstration leaves open: answers that nobody understood, and a message that was set aside."""

import re

import pytest
from playwright.sync_api import expect

from ehrconnector.management.commands.leave_open import ANSWERS
from ehrconnector.visit_player.twin import Twin
from tests.e2e.staff import sign_in
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("stack")
ADMIN, SUPPORT = "avery.reed@lamna.example.org", "kim.soto@lamna.example.org"


@pytest.fixture(scope="module", autouse=True)
def _left_open(stack):
    left = stack.manage("leave_open")
    assert left.returncode == 0, left.stderr
    yield
    Twin(stack.sandbox).reply(ANSWERS[-1][1], "START")  # other tests text this phone, too
    until(lambda: not stack.query("SELECT 1 FROM sms_optout WHERE ended_at IS NULL"))


def test_answers_that_nobody_understood_are_dealt_with(stack, person, inspector):
    with person("support") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/messages/replies")
        expect(page.get_by_text("Perhaps no more texts")).to_be_visible()
        expect(page.get_by_text("Something else")).to_be_visible()
        inspector.look(page, "replies-waiting")
        page.get_by_role("button", name=re.compile("^I asked the patient, reply of")).first.click()
        expect(page.get_by_text("Stored, with your name and the time.")).to_be_visible()
        expect(page.get_by_role("heading", name="Dealt with")).to_be_visible()
        inspector.look(page, "replies-dealt-with")
        page.goto(f"{stack.web}/messages/opt-outs")
        expect(page.get_by_text("The owner replied STOP or the like").first).to_be_visible()
        inspector.look(page, "opt-outs")


def test_a_message_that_was_set_aside_is_replayed(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/messages/hl7/?outcome=quarantined")
        inspector.look(page, "hl7-quarantined")
        page.get_by_role("link", name=re.compile("^DEMO")).first.click()
        expect(page.get_by_text("It was acknowledged but could not take effect.")).to_be_visible()
        inspector.look(page, "hl7-set-aside")
        address = page.url
        page.get_by_role("button", name="Replay").click()
        applied = page.get_by_text("The visit is as this message says.")
        until(lambda: page.goto(address) and applied.count() == 1)
        inspector.look(page, "hl7-replayed")


def test_how_messages_are_read_is_set_up_for_each_interface(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/messages/hl7/senders")
        page.get_by_role("link", name="Set up how messages of lamna-main are read").click()
        inspector.look(page, "hl7-interface")
        page.get_by_label("Where the start stands").fill("SCH-12")
        page.get_by_role("button", name="Save as draft").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        inspector.look(page, "hl7-interface-refused")
