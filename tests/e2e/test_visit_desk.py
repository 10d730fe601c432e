"""What support staff see and do: the board, a visit that needs a decision, a number with a reason, the setup."""

import json
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.test_visit import sign_in
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("stack")
SUPPORT, ADMIN = "kim.soto@lamna.example.org", "avery.reed@lamna.example.org"
NOT_SENDABLE = (
    "SELECT count(*) FROM writeback_writebackevent w JOIN visits_visit v ON v.id = w.visit_id"
    " WHERE w.state = 'not_sendable' AND v.reference = %s"
)
ENDED = (
    "SELECT count(*) FROM meetings_meeting m JOIN visits_visit v ON v.id = m.visit_id"
    " WHERE m.ended_at IS NOT NULL AND v.reference = %s"
)

MAY_DIFFER = (
    "SELECT may_differ FROM reports_visitfact f JOIN visits_visit v ON v.id = f.visit_id WHERE v.reference = %s"
)


@dataclass(frozen=True)
class Played:
    """The CSN of a visit that went well, and of one that Epic could not be told of, which has a reference too."""

    well: str
    not_told: str
    reference: str


@pytest.fixture(scope="module", autouse=True)
def played(stack):
    """Two visits; the record of the second lacks the conference id."""
    twin = Twin(stack.sandbox)
    well = play(stack)
    twin.set_faults({"epic.record": "no_conference"})
    try:
        not_told = play(stack, "--until", "Both leave")
        until(lambda: stack.query(NOT_SENDABLE, not_told["reference"]) == [(4,)])
    finally:
        twin.set_faults({})
    until(lambda: stack.query(ENDED, not_told["reference"]) == [(1,)], seconds=90)  # Graph may have to repeat it
    return Played(well=well["csn"], not_told=not_told["csn"], reference=not_told["reference"])


def age(stack, reference: str) -> None:
    """Let the news of a visit have waited for longer than anybody has patience with."""
    aged = stack.query(
        "UPDATE writeback_writebackevent w SET created_at = now() - interval '2 hours' FROM visits_visit v"
        " WHERE v.id = w.visit_id AND v.reference = %s RETURNING 1",
        reference,
    )
    assert len(aged) == 4


def play(stack, *arguments: str) -> dict[str, str]:
    """Play a visit and return what it says of itself."""
    ended = stack.manage("play_visit", "--json", *arguments)
    assert ended.returncode == 0, ended.stdout
    return dict(json.loads(ended.stdout))


def test_the_board_shows_the_day_and_what_needs_attention(stack, person, inspector):
    with person("staff") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/visits/")
        expect(page.get_by_text("Epic cannot be told: an id is missing").first).to_be_visible()
        inspector.look(page, "board")
        page.get_by_role("link", name=re.compile(r"^Needs attention \d")).click()
        expect(page.get_by_role("link", name=re.compile(r"^Needs attention"))).to_have_attribute("aria-current", "page")
        expect(page.get_by_text("Completed").first).to_be_visible()
        page.get_by_role("link", name="Day before").click()
        expect(page.get_by_role("heading", name=re.compile("Visits on"))).to_be_visible()
        inspector.look(page, "board-empty")


def test_a_board_that_is_open_shows_a_new_visit(stack, person):
    twin = Twin(stack.sandbox)
    with person("staff") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/visits/")
        csn = twin.book(environment="test", starts_in_minutes=5, minutes=30, patient="rivera", provider="okafor")["csn"]
        expect(page.get_by_role("link", name=csn)).to_be_visible()


def test_what_epic_was_not_told_is_explained_and_marked_as_handled(stack, person, inspector, played):
    with person("staff") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/visits/?show=attention")
        page.get_by_role("link", name=played.not_told).click()
        expect(page.get_by_text("Not sendable").first).to_be_visible()
        inspector.look(page, "visit-to-decide")
        page.get_by_role("link", name="Decide").first.click()
        expect(page.get_by_text("Epic analyst: add conferenceId")).to_be_visible()
        inspector.look(page, "decide")
        page.get_by_role("button", name="Mark as handled").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        page.get_by_label("Reason").fill("Set by hand in Epic by the front desk")
        page.get_by_role("button", name="Mark as handled").click()
        expect(page.get_by_text("Marked as handled.")).to_be_visible()
        expect(page.get_by_text("Handled by hand")).to_be_visible()


def test_a_number_is_shown_once_to_who_gives_a_reason(stack, person, inspector, played):
    with person("staff") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/visits/")
        page.get_by_role("link", name=played.well).click()
        expect(page.get_by_text("ending 77").first).to_be_visible()
        page.get_by_role("link", name="Number and link").click()
        inspector.look(page, "reveal")
        page.get_by_label("Reason").fill("Patient called and asks for the link")
        page.get_by_role("button", name="Show number and link").click()
        expect(page.get_by_text("+16085550177")).to_be_visible()
        inspector.look(page, "revealed")
    ((reason,),) = stack.query(
        "SELECT data->>'reason' FROM core_auditevent WHERE action = 'visit.contacts_revealed' ORDER BY id DESC LIMIT 1"
    )
    assert reason == "Patient called and asks for the link"


def test_an_administrator_sets_up_context_aware_links(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/context-links/")
        inspector.look(page, "context-links")
        page.get_by_role("link", name="Change").last.click()
        page.get_by_label("Visits may be opened by context-aware links").check()
        page.get_by_role("button", name="Save the draft").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        inspector.look(page, "context-links-problem")


def test_an_administrator_sets_up_how_epic_is_told(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/telling-epic/")
        inspector.look(page, "telling-epic")
        page.get_by_role("link", name="Change").last.click()
        inspector.look(page, "telling-epic-setup")
        page.get_by_label("Path", exact=True).fill("https://evil.test")
        page.get_by_role("button", name="Save the draft").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        inspector.look(page, "telling-epic-problem")


def test_the_status_page_shows_what_runs_and_what_waits(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.get_by_role("link", name="Status").click()
        expect(page.get_by_role("heading", name="Status")).to_be_visible()
        expect(page.get_by_text("Takes what it is told")).to_be_visible()
        inspector.look(page, "status")


def test_what_epic_was_told_is_held_against_what_happened(stack, person, inspector, played):
    age(stack, played.reference)
    until(lambda: stack.query(MAY_DIFFER, played.reference) == [(True,)])
    with person("staff") as page:
        sign_in(page, stack, SUPPORT)
        page.goto(f"{stack.web}/reports/differences")
        expect(page.get_by_text("Not told").first).to_be_visible()
        inspector.look(page, "differences")


def test_the_support_desk_finds_a_visit_and_leads_to_its_timeline(stack, person):
    with person("staff") as page:
        sign_in(page, stack, SUPPORT)
        page.get_by_role("link", name="Support desk").click()
        expect(page.get_by_role("heading", name=re.compile("Facts about visits"))).to_be_visible()
        page.get_by_role("link", name="Writeback events").click()
        page.screenshot(path=".data/screenshots/support-desk.png")
        page.get_by_role("link", name="Timeline").first.click()
        expect(page.get_by_role("heading", name=re.compile("^Visit "))).to_be_visible()
