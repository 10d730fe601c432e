"""The portal's setup against the sandbox, as the Microsoft 365 admin sees it."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.staff import sign_in

pytestmark = pytest.mark.xdist_group("stack")
ADMIN = "avery.reed@lamna.example.org"
MOST_SECONDS = 10


@pytest.fixture
def faults(stack):
    """Switch faults of the sandbox on, and off again."""
    twin = Twin(stack.sandbox)
    yield twin.set_faults
    twin.set_faults({})


def test_the_setup_pages_are_accessible_and_the_check_runs_live(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        expect(page.get_by_role("heading", name="Set up virtual visits", level=1)).to_be_visible()
        inspector.look(page, "setup")
        for address, name in (
            ("organization/", "setup-organization"),
            ("teams/", "setup-teams"),
            ("keys/", "setup-keys"),
            ("check/", "setup-checks"),
            ("../settings/", "setup-settings"),
            ("approval/", "setup-approvals"),
            ("records/", "setup-records"),
            ("endpoints/", "setup-endpoints"),
        ):
            page.goto(f"{stack.web}/setup/{address}")
            inspector.look(page, name)

        page.get_by_role("link", name="lamna-test", exact=True).click()
        inspector.look(page, "setup-endpoint")
        page.get_by_role("link", name="Pre-flight check").click()
        page.get_by_role("button", name=re.compile("Start the check|Check again")).click()
        expect(page.get_by_role("status").filter(has_text=re.compile(r"^All \d+ passed"))).to_be_visible()
        inspector.look(page, "setup-check")


def test_what_fails_names_person_and_commands(stack, person, inspector, faults):
    faults({"graph.http": "access_policy"})
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/check/")
        page.get_by_role("link", name="lamna-test", exact=True).click()
        page.get_by_role("button", name=re.compile("Start the check|Check again")).click()
        expect(page.get_by_text(re.compile("New-CsApplicationAccessPolicy"))).to_be_visible()
        expect(page.get_by_text("Teams admin", exact=True)).to_be_visible()
        inspector.look(page, "setup-check-failed")


def test_a_certificate_is_made_and_waits(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/teams/")
        page.get_by_role("button", name="Make a certificate").click()
        expect(page.get_by_text("A new certificate waits to be registered")).to_be_visible()
        inspector.look(page, "setup-teams-waiting")
        page.get_by_role("button", name="Use this certificate").click()
        expect(page.get_by_text("does not accept")).to_be_visible()
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_role("button", name="Make a certificate")).to_be_visible()


def test_new_keys_are_published_and_the_wait_is_shown(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/keys/")
        page.get_by_role("button", name="Publish new keys").last.click()
        expect(page.get_by_text("Fetched by Epic")).to_be_visible()
        inspector.look(page, "setup-keys-rotating")


def test_an_address_is_shown_before_it_is_saved(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/setup/endpoints/add")
        page.get_by_label("FHIR base URL").fill(f"{stack.sandbox}/epic/test")
        page.get_by_label("FHIR base URL").press("Tab")
        expect(page.get_by_text("The end of the address is missing", exact=False).first).to_be_visible()
        inspector.look(page, "setup-add-wrong")
        page.get_by_label("FHIR base URL").fill(f"{stack.sandbox}/epic/test/api/FHIR/R4")
        page.get_by_label("FHIR base URL").press("Tab")
        expect(page.get_by_text("Epic (sandbox)").first).to_be_visible()
        inspector.look(page, "setup-add")
        page.get_by_role("button", name="Save as draft").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        inspector.look(page, "setup-add-errors")


def test_the_doctor_passes_in_time_and_fails_with_status_1(stack, faults):
    started = time.monotonic()
    well = stack.manage("doctor", "--endpoint", "lamna/lamna-test", "--json")
    said = json.loads(well.stdout)
    assert {check["name"]: check["cause"] for check in said["checks"] if check["state"] == "failed"} == {}
    assert well.returncode == 0
    assert time.monotonic() - started < MOST_SECONDS
    faults({"epic.token": "invalid_client"})
    ill = stack.manage("doctor", "--endpoint", "lamna/lamna-test", "--json")
    failed = {check["name"] for check in json.loads(ill.stdout)["checks"] if check["state"] == "failed"}
    assert (ill.returncode, failed) == (1, {"keys-in-epic", "epic-token"})
