"""A group visit of four patients and their provider, each in a browser of their own, and an invited interpreter."""

import re
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from ehrconnector.visit_player.twin import Twin
from sandbox.people import PATIENTS

pytestmark = pytest.mark.xdist_group("stack")
KEYS = ("rivera", "nguyen", "larsen", "haddad")


@pytest.fixture
def twin(stack) -> Twin:
    return Twin(stack.sandbox)


def into_the_lobby(patient: Page) -> None:
    """Go on from the waiting page into Teams' lobby."""
    expect(patient.get_by_role("heading", name="You are checked in")).to_be_visible()
    patient.get_by_role("button", name="Go to the waiting room").click()
    patient.get_by_role("button", name="Join").first.click()
    expect(patient.get_by_text("lobby").first).to_be_visible()


def admit(provider: Page, *, how_many: int) -> None:
    """Join from the status page as Dr. Okafor and let everybody in."""
    with provider.expect_popup() as opened:
        provider.get_by_role("button", name="Join in browser").click()
    teams = opened.value
    teams.get_by_role("button").filter(has_text="Amara Okafor").click()
    buttons = teams.get_by_role("button", name=re.compile("Admit"))
    for left in range(how_many, 0, -1):
        expect(buttons).to_have_count(left)
        buttons.first.click()


def names_and_numbers(key: str) -> list[str]:
    patient = PATIENTS[key]
    return [patient.given.title(), patient.family.title(), patient.mrn, patient.fhir_id]


def test_five_people_meet_and_no_patient_sees_another(stack, twin, person, inspector):
    booked = dict(zip(KEYS, twin.book_group(*KEYS, starts_in_minutes=20), strict=True))
    assert len({visit["csn"] for visit in booked.values()}) == len(KEYS)
    assert len({visit["conference_id"] for visit in booked.values()}) == 1
    with ExitStack() as browsers:
        provider = browsers.enter_context(person("provider"))
        provider.goto(twin.launch(booked["rivera"]["csn"], audience="provider"))
        expect(provider.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
        patients = {key: browsers.enter_context(person(key, width=390)) for key in KEYS}
        for key, patient in patients.items():
            patient.goto(twin.launch(booked[key]["csn"], audience="patient"))
            into_the_lobby(patient)
        expect(provider.get_by_role("heading", name="4 people are waiting")).to_be_visible()
        expect(provider.get_by_text("Two different patients")).to_have_count(0)
        inspector.look(provider, "group-status")
        admit(provider, how_many=len(KEYS))
        for number in range(1, len(KEYS) + 1):
            expect(provider.get_by_role("row", name=re.compile(f"Patient {number}.*Connected"))).to_be_visible()

        for key, patient in patients.items():
            page = patient.context.new_page()
            page.goto(f"{stack.web}/visit")
            expect(page.get_by_text("You are in your visit.")).to_be_visible()
            shown = page.content()
            for other in KEYS:
                found = [text for text in names_and_numbers(other) if text in shown]
                assert found == [], f"{key} is shown {found}"
                assert other == key or booked[other]["csn"] not in shown
            assert not re.search(r"Patient \d|Paciente \d", shown)


def test_an_interpreter_comes_by_an_invitation_and_is_shown_first(stack, twin, person, inspector):
    booked = twin.book(environment="test", starts_in_minutes=20, minutes=30, patient="larsen", provider="okafor")
    with (
        person("provider") as provider,
        person("patient", width=390) as patient,
        person("interpreter", width=390) as interpreter,
        person("late", width=390, locale="es-US", expected="410") as late,
    ):
        provider.goto(twin.launch(booked["csn"], audience="provider"))
        provider.get_by_role("button", name="Interpreter", exact=True).click()
        expect(provider.get_by_text("Interpreter, invitation 1")).to_be_visible()
        expect(provider.get_by_text("Not opened yet")).to_be_visible()
        expect(provider.get_by_role("button", name="Copy Link")).to_be_visible()
        inspector.look(provider, "invitations")
        link = provider.locator(".invitations code").inner_text()

        patient.goto(twin.launch(booked["csn"], audience="patient"))
        into_the_lobby(patient)
        interpreter.goto(link)
        inspector.look(interpreter, "invitation")
        interpreter.get_by_role("button", name="Join the visit").click()
        interpreter.get_by_role("link", name="Skip the check").click()
        into_the_lobby(interpreter)

        expect(provider.get_by_role("heading", name="2 people are waiting")).to_be_visible()
        expect(provider.get_by_text("Admit the interpreter first, in Teams.")).to_be_visible()
        alert = provider.locator("[data-waiting]").inner_text()
        assert alert.index("Interpreter 1") < alert.index("Patient 1")
        admit(provider, how_many=2)
        expect(
            provider.get_by_role("row", name=re.compile("Interpreter 1.*ready to interpret.*Connected"))
        ).to_be_visible()

        provider.reload()
        expect(provider.get_by_text("Opened", exact=True)).to_be_visible()
        provider.get_by_role("button", name=re.compile("Take back")).click()
        expect(provider.get_by_text("Taken back")).to_be_visible()
        late.goto(link)
        inspector.look(late, "invitation-es")
        late.get_by_role("button", name="Entrar a la consulta").click()
        expect(late.get_by_role("heading", name="Se anuló esta invitación")).to_be_visible()
