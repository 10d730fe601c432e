"""A whole visit, seen by those who take part: staff, provider and patient, each in a browser of their own."""

import re

import pytest
from playwright.sync_api import expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.staff import sign_in

pytestmark = pytest.mark.xdist_group("stack")
PHONE = "+16085550177"


@pytest.fixture
def twin(stack) -> Twin:
    return Twin(stack.sandbox)


@pytest.fixture
def booked(twin):
    """A visit that Epic has booked, with the link from the patient's phone."""
    after = twin.last()
    visit = twin.book(environment="test", starts_in_minutes=20, minutes=30, patient="rivera", provider="okafor")
    text = twin.wait("acs", "sms_accepted", after=after, key=PHONE)[0]["data"]["text"]
    return {**visit, "link": re.search(r"http\S+/j/\S{22}", text).group()}


def test_provider_and_patient_meet_and_staff_see_it(stack, twin, booked, person, inspector):
    with person("provider") as provider, person("patient", width=390) as patient, person("staff") as staff:
        sign_in(staff, stack, "kim.soto@lamna.example.org")
        expect(staff.get_by_role("heading", name="Visits today", level=1)).to_be_visible()

        provider.goto(twin.launch(booked["csn"], audience="provider"))
        expect(provider).to_have_url(f"{stack.web}/launch/visit")
        expect(provider.get_by_text("Nobody is waiting")).to_be_visible()

        patient.goto(booked["link"])
        inspector.look(patient, "patient-link")
        patient.get_by_role("button", name="Join your visit with Lamna Healthcare").click()
        patient.get_by_role("link", name="Skip the check").click()
        expect(patient.get_by_role("heading", name="You are checked in")).to_be_visible()
        inspector.look(patient, "patient-waiting")
        patient.get_by_role("button", name="Go to the waiting room").click()
        patient.get_by_role("button", name="Join").first.click()
        expect(patient.get_by_text("lobby").first).to_be_visible()

        expect(provider.get_by_role("heading", name="Patient 1 is waiting")).to_be_visible()
        inspector.look(provider, "provider-status")
        with provider.expect_popup() as opened:
            provider.get_by_role("button", name="Join in Teams").click()
        teams = opened.value
        teams.get_by_role("button").filter(has_text="Amara Okafor").click()
        teams.get_by_role("button", name=re.compile("Admit")).first.click()
        expect(provider.get_by_role("row", name=re.compile("Patient 1.*Connected"))).to_be_visible()

        staff.goto(f"{stack.web}/visits/search?q={booked['csn']}")
        expect(staff.get_by_text("Patient 1 connected", exact=True)).to_be_visible()
        inspector.look(staff, "staff-visit")
        staff.goto(f"{stack.web}/")
        inspector.look(staff, "staff-visits")


_TWO_MINUTES_LATER = """
from datetime import timedelta
from django.utils import timezone
from core import scope
from launch.models import LaunchAttempt
with scope.within(scope.of_platform("test")):
    newest = LaunchAttempt.objects.filter(audience="text").latest("created_at")
    newest.finished_at = timezone.now() - timedelta(minutes=2)
    newest.save(update_fields=["finished_at"])
"""


def test_a_provider_is_told_of_a_patient_who_does_not_come_in(stack, twin, booked, person, inspector):
    with person("provider") as provider, person("patient", width=390) as patient:
        provider.goto(twin.launch(booked["csn"], audience="provider"))
        patient.goto(booked["link"])
        patient.get_by_role("button", name="Join your visit with Lamna Healthcare").click()
        patient.get_by_role("link", name="Skip the check").click()
        expect(patient.get_by_role("heading", name="You are checked in")).to_be_visible()
        expect(provider.get_by_text("A patient may need help")).to_have_count(0)
        moved = stack.manage("shell", "-c", _TWO_MINUTES_LATER)
        assert moved.returncode == 0, moved.stderr
        provider.reload()
        expect(provider.get_by_text("A patient may need help")).to_be_visible()
        expect(provider.get_by_text("is on the page before the waiting room")).to_be_visible()
        expect(provider.get_by_text("join by telephone: +1 608-555-0100, conference ID")).to_be_visible()
        inspector.look(provider, "provider-stuck")


@pytest.mark.parametrize("address", ["/visits/", "/visits/search", "/reports/"])
def test_staff_pages_are_accessible(stack, person, inspector, booked, address):
    with person("staff") as page:
        sign_in(page, stack, "avery.reed@lamna.example.org")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.goto(f"{stack.web}{address}")
        inspector.look(page, f"staff{address.replace('/', '-').rstrip('-')}")


def test_the_way_in_is_accessible_and_closed_to_whoever_has_no_role(stack, person, inspector):
    with person("staff", expected="403") as page:
        page.goto(f"{stack.web}/accounts/login/")
        inspector.look(page, "sign-in")
        sign_in(page, stack, "amara.okafor@lamna.example.org")
        expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()


def test_a_teams_that_refuses_is_told_on_the_status_page_until_it_gives_in(stack, twin, person, inspector):
    twin.set_faults({"graph.http": "access_policy"})
    try:
        visit = twin.book(environment="test", starts_in_minutes=20, minutes=30, patient="rivera", provider="okafor")
        with person("provider", expected="503") as provider:
            provider.goto(twin.launch(visit["csn"], audience="provider"))
            expect(provider.get_by_text("Teams has not made this meeting yet")).to_be_visible()
            expect(provider.get_by_text("graph.access_policy_missing")).to_be_visible()
            inspector.look(provider, "provider-status-no-meeting")
            with provider.expect_popup() as opened:
                provider.get_by_role("button", name="Join in Teams").click()
            expect(opened.value.get_by_text("New-CsApplicationAccessPolicy")).to_be_visible()
            twin.set_faults({})
            with provider.expect_popup() as opened:
                provider.get_by_role("button", name="Join in Teams").click()
            expect(opened.value.get_by_role("button").filter(has_text="Amara Okafor")).to_be_visible()
            expect(provider.get_by_text("Teams has not made this meeting yet")).to_be_hidden()
    finally:
        twin.set_faults({})
