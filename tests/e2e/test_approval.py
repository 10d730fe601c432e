"""From a change to what runs, and back: an administrator and an analyst, by keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.keyboard import Keyboard

pytestmark = pytest.mark.xdist_group("stack")
AVERY, DANA = "avery.reed@lamna.example.org", "dana.ortiz@lamna.example.org"


def sign_in(page: Page, stack, username: str) -> Keyboard:
    keyboard = Keyboard(page)
    page.goto(f"{stack.web}/")
    keyboard.open("Sign in with Microsoft")
    keyboard.open(username)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return keyboard


def to_approval(page: Page, keyboard: Keyboard, stack, name: str) -> None:
    page.goto(f"{stack.web}/setup/approval/")
    keyboard.open(name, exact=True)
    expect(page.get_by_role("heading", name=f"Approve {name}", level=1)).to_be_visible()


def change_visit_types(page: Page, keyboard: Keyboard, stack, types: str) -> None:
    page.goto(f"{stack.web}/setup/endpoints/")
    keyboard.open("lamna-test", exact=True)
    keyboard.open("Change")
    keyboard.fill("visit types", types)
    keyboard.open("Save")


def to_epic(page: Page, keyboard: Keyboard) -> None:
    """Go to Epic's sign-in, over the page of ours that goes on by itself."""
    keyboard.go_to("Sign in to test Epic")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in to Epic", level=1)).to_be_visible()


def approve(page: Page, keyboard: Keyboard) -> None:
    """Sign in to Epic and approve, from the approval page."""
    to_epic(page, keyboard)
    keyboard.open("Amara Okafor")
    expect(page.get_by_text("Epic confirms that you signed in.")).to_be_visible()
    keyboard.open("Approve test Epic")
    expect(page.get_by_role("heading", name="Integration records", level=1)).to_be_visible()


def test_edit_approve_and_roll_back_by_keyboard(stack, person, inspector):
    with person("avery") as admin, person("dana") as analyst:
        avery = sign_in(admin, stack, AVERY)
        change_visit_types(admin, avery, stack, "VV30, VGRP60, TELE15")
        to_approval(admin, avery, stack, "lamna-test")
        expect(admin.get_by_text("Changes not approved")).to_be_visible()
        inspector.look(admin, "approval-admin")
        avery.open("Ask dana.ortiz to approve")
        expect(admin.get_by_text(f"Waiting for {DANA}")).to_be_visible()
        admin.goto(f"{stack.web}/setup/")
        expect(admin.get_by_text(f"Waiting for {DANA}")).to_be_visible()

        dana = sign_in(analyst, stack, DANA)
        to_approval(analyst, dana, stack, "lamna-test")
        expect(analyst.get_by_role("row", name=re.compile("Visit types.*TELE15"))).to_be_visible()
        inspector.look(analyst, "approval-analyst")
        approve(analyst, dana)
        inspector.look(analyst, "records")

        to_approval(admin, avery, stack, "lamna-test")
        expect(admin.get_by_text("Nothing waits for an approval")).to_be_visible()
        inspector.look(admin, "approval-done")
        avery.open("Version 1", exact=True)
        inspector.look(admin, "version")
        avery.open("Put it back into the draft")
        expect(admin.get_by_text("The draft has the settings of version 1 again.")).to_be_visible()
        to_approval(analyst, dana, stack, "lamna-test")
        approve(analyst, dana)
        analyst.goto(f"{stack.web}/setup/approval/")
        expect(analyst.get_by_role("row", name=re.compile("lamna-test.*Approved.*Version 3"))).to_be_visible()


def test_a_change_in_between_shows_what_changed(stack, person, inspector):
    with person("avery") as admin, person("dana", expected="409") as analyst:
        avery, dana = sign_in(admin, stack, AVERY), sign_in(analyst, stack, DANA)
        change_visit_types(admin, avery, stack, "VV30, VGRP60, FIRST")
        to_approval(analyst, dana, stack, "lamna-test")
        to_epic(analyst, dana)
        dana.open("Amara Okafor")
        change_visit_types(admin, avery, stack, "VV30, VGRP60, SECOND")
        dana.open("Approve test Epic")
        expect(analyst.get_by_text("Changed since you opened this page").first).to_be_visible()
        expect(analyst.get_by_role("row", name=re.compile("FIRST.*SECOND"))).to_be_visible()
        inspector.look(analyst, "approval-changed")
        dana.fill("What has to be changed", "Wait until the build of SECOND is in production.")
        dana.open("Send back with this reason")
        to_approval(admin, avery, stack, "lamna-test")
        expect(admin.get_by_text("Wait until the build of SECOND is in production.")).to_be_visible()
        inspector.look(admin, "approval-sent-back")
        change_visit_types(admin, avery, stack, "VV30, VGRP60")


def test_records_are_copied_printed_and_compared(stack, person, inspector):
    with person("dana") as page:
        dana = sign_in(page, stack, DANA)
        page.goto(f"{stack.web}/setup/records/")
        inspector.look(page, "records-overview")
        dana.open("lamna-test", exact=True)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        context = page.locator("#record-patient").get_by_text("sessionId=%CSN%&conferenceId=%CONFERENCEID%", exact=True)
        copy = page.locator("#record-patient").get_by_role("button", name="Copy Context", exact=True)
        copy.focus()
        page.keyboard.press("Enter")
        expect(page.locator("[data-announcer]")).to_have_text("Copied Context")
        assert page.evaluate("navigator.clipboard.readText()") == context.inner_text()
        dana.choose("Record", "Provider record")
        dana.fill("What Epic has", "Context: sessionId=%CSN%&conferenceId=%CONFERENCE%")
        dana.open("Compare")
        expect(page.get_by_text("Provider record: 4 of 4 fields need a look")).to_be_visible()
        inspector.look(page, "records-compared")
        dana.open("Hand-over sheet")
        inspector.look(page, "hand-over")
        page.emulate_media(media="print")
        expect(page.get_by_role("navigation", name="Portal")).to_be_hidden()


@pytest.mark.parametrize("address", ["/audit/", "/audit/?q=nothing", "/setup/approval/"])
def test_pages_of_the_portal_are_accessible(stack, person, inspector, address):
    with person("avery") as page:
        sign_in(page, stack, AVERY)
        page.goto(f"{stack.web}{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        inspector.look(page, f"portal{re.sub(r'[^a-z]+', '-', address).rstrip('-')}")


def test_the_session_warning_can_be_answered_by_keyboard(stack, person, inspector):
    with person("avery") as page:
        avery = sign_in(page, stack, AVERY)
        page.goto(f"{stack.web}/audit/")
        page.clock.install()
        page.reload()
        page.clock.fast_forward("13:30")
        dialog = page.get_by_role("dialog", name=re.compile("You will be signed out in"))
        expect(dialog).to_be_visible()
        inspector.look(page, "session-warning")
        avery.go_to("Stay signed in")
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
