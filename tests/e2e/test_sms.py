"""Texts as an administrator sets them up and support staff look after them, in a real browser against the twin."""

import re

import pytest
from playwright.sync_api import expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.staff import sign_in

pytestmark = pytest.mark.xdist_group("stack")
ADMINISTRATOR = "avery.reed@lamna.example.org"


@pytest.fixture
def twin(stack):
    twin = Twin(stack.sandbox)
    yield twin
    twin.set_faults({})


@pytest.fixture
def admin(stack, person):
    with person("sms-admin") as page:
        sign_in(page, stack, ADMINISTRATOR)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        yield page


def open_setup(page, stack):
    page.goto(f"{stack.web}/setup/sms/")
    expect(page.get_by_role("heading", name="SMS notifications", level=1)).to_be_visible()


def order(page, which):
    page.get_by_role("link", name="Generate a new phone number").click()
    page.get_by_label(which).check()
    page.get_by_role("button", name="Generate the number").click()


def test_a_number_is_generated_while_the_administrator_watches(stack, twin, admin, inspector):
    open_setup(admin, stack)
    twin.set_faults({"acs.numbers": "slow"})
    order(admin, "Toll-free number from Azure Communication Services")
    expect(admin.get_by_text("Getting a new phone number")).to_be_visible()
    inspector.look(admin, "sms-number-on-its-way")

    admin.goto(f"{stack.web}/visits/")  # closing the page changes nothing
    twin.set_faults({})
    open_setup(admin, stack)

    title = admin.locator("#order .notice-title")
    expect(title).to_have_text(re.compile(r"\(8\d\d\) 555-01\d\d is yours"), timeout=40_000)
    expect(admin.get_by_role("status").filter(has_text="is yours")).to_have_count(1)  # read aloud as well
    assert admin.url == f"{stack.web}/setup/sms/", "nobody is sent anywhere"
    expect(admin.get_by_role("row", name=re.compile("verification: not submitted"))).to_be_visible()
    inspector.look(admin, "sms-overview")

    admin.get_by_role("row", name=re.compile("not submitted")).get_by_role("link").click()
    inspector.look(admin, "sms-number")
    admin.get_by_label("Approved").check()
    admin.get_by_role("button", name="Store what it says").click()
    expect(admin.get_by_text("Ready to send")).to_be_visible()

    admin.get_by_role("link", name="Give this number back").click()
    inspector.look(admin, "sms-release")
    admin.get_by_role("button", name="Give the number back").click()
    expect(admin.get_by_text("is being given back")).to_be_visible()


def test_a_failure_says_why_and_can_be_tried_again(stack, twin, admin, inspector):
    twin.set_faults({"twilio.numbers": "out_of_stock"})
    open_setup(admin, stack)
    order(admin, "Local number from Twilio")
    expect(admin.locator("#order").get_by_text("The supplier has no such number now")).to_be_visible()
    inspector.look(admin, "sms-number-failed")
    twin.set_faults({})
    admin.get_by_role("button", name="Try again").click()
    title = admin.locator("#order .notice-title")
    expect(title).to_have_text(re.compile("is yours"), timeout=40_000)


def test_what_is_texted_is_chosen_previewed_and_waits_for_the_approval(stack, admin, inspector):
    open_setup(admin, stack)
    admin.get_by_role("link", name="SMS setup of lamna-main").click()
    inspector.look(admin, "sms-endpoint")
    admin.get_by_role("button", name="Add a reminder").click()
    admin.get_by_label(re.compile(r"how long before")).last.fill("45")
    admin.get_by_label("Unit").last.select_option("minutes")
    admin.get_by_role("button", name="Remove").first.click()
    admin.get_by_role("button", name="Save the SMS setup").click()
    expect(admin.get_by_text("It takes effect once the configuration is approved.")).to_be_visible()
    expect(admin.get_by_text(re.compile("45 minutes"))).to_be_visible()
    expect(admin.get_by_text("Changes not approved")).to_be_visible()

    admin.get_by_label("Text from").select_option("")
    admin.get_by_role("button", name="Save the SMS setup").click()
    expect(admin.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(admin.get_by_text("Confirm that texts stop").first).to_be_visible()
    inspector.look(admin, "sms-endpoint-refused")


def test_words_are_counted_and_linted_while_they_are_typed(stack, admin, inspector):
    admin.goto(f"{stack.web}/setup/sms/words/en")
    inspector.look(admin, "sms-words")
    preview = admin.locator("#preview-reminder")
    admin.get_by_label(re.compile("^Reminder")).fill("Dear Elena, oncology on {when}. {link}")
    expect(preview.get_by_text("Take “oncology” out")).to_be_visible()
    inspector.look(admin, "sms-words-refused")
    admin.get_by_label(re.compile("^Reminder")).fill(
        "{organization}: see you {when}. Join at {link} Help: {help}. Reply STOP to end texts."
    )
    expect(preview.get_by_text(re.compile("Lamna Healthcare: see you"))).to_be_visible()
    expect(preview.get_by_text(re.compile(r"segments? · GSM-7"))).to_be_visible()
    admin.get_by_role("button", name="Save these words").click()
    expect(admin.get_by_text("1 of 4 texts in your words")).to_be_visible()


def test_support_finds_out_what_became_of_a_text_and_sends_it_again(stack, twin, person, inspector):
    after = twin.last()
    visit = twin.book(environment="test", starts_in_minutes=90, minutes=30, patient="rivera", provider="okafor")
    twin.wait("acs", "report_sent", after=after)
    with person("sms-support") as page:
        sign_in(page, stack, "kim.soto@lamna.example.org")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.goto(f"{stack.web}/messages/")
        row = page.get_by_role("row", name=re.compile(f"Confirmation .*{visit['csn']}"))
        expect(row).to_be_visible()
        inspector.look(page, "messages")
        row.get_by_role("link", name="Confirmation").click()
        expect(page.get_by_text("Given to the supplier")).to_be_visible()
        inspector.look(page, "message")

        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_text("Say why it is sent again").first).to_be_visible()
        before = twin.last()
        page.get_by_label("Reason").fill("patient called, text was deleted")
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_text("This page is about the new text")).to_be_visible()
        assert twin.wait("acs", "sms_accepted", after=before)

        for address in ("numbers", "replies", "opt-outs", "sending"):
            page.goto(f"{stack.web}/messages/{address}")
            inspector.look(page, f"messages-{address}")


def test_consent_is_withdrawn_and_given_again(stack, admin, inspector):
    open_setup(admin, stack)
    admin.get_by_role("link", name=re.compile("Withdraw.*Patients have agreed")).click()
    inspector.look(admin, "sms-withdraw")
    admin.get_by_role("button", name="Withdraw and stop all texts").click()
    expect(admin.get_by_text("No text goes out any more")).to_be_visible()
    inspector.look(admin, "sms-consent")
    admin.get_by_role("button", name="Agree to both").click()
    expect(admin.get_by_role("heading", name="There is a problem")).to_be_visible()
    for box in admin.get_by_role("checkbox").all():
        box.check()
    admin.get_by_role("button", name="Agree to both").click()
    expect(admin.get_by_text("Both consents are stored")).to_be_visible()
