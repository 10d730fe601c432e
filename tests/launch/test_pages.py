"""What provider and patient see while they wait, and after."""

from datetime import timedelta

import pytest
from django.utils import timezone

from launch.models import LaunchAttempt
from meetings.models import Meeting, Participant
from meetings.services.participants import expect
from tests.launch.pages import form_token, heading
from tests.meetings.rows import make_meeting, make_subscription

State = Participant.State


@pytest.fixture
def meeting(visit) -> Meeting:
    return make_meeting(visit)


@pytest.fixture
def provider(launch, meeting, graph):
    begun = launch()
    begun.finish()
    return begun.browser


def place(meeting, role, state, *, minutes=4, **who):
    participant = expect(meeting, role=role, now=timezone.now(), **who)
    at = timezone.now() - timedelta(minutes=minutes)
    Participant.objects.filter(pk=participant.pk).update(state=state, state_at=at, expected_at=None)
    return participant


def text(page):
    return " ".join(page.content.decode().split())


def living(browser, page, path, **query):
    token = form_token(browser.get(page, secure=True))
    return browser.get(path, query, secure=True, headers={"HX-Request": "true", "X-Visit": token})


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([], "Nobody is waiting"),
        ([("patient", State.WAITING)], "Patient 1 is waiting"),
        ([("patient", State.WAITING), ("interpreter", State.WAITING)], "2 people are waiting"),
        ([("provider", State.CONNECTED)], "Nobody is waiting"),
        ([("provider", State.CONNECTED), ("patient", State.CONNECTED)], "In visit"),
        ([("patient", State.LEFT)], "Nobody is waiting"),
    ],
)
def test_the_status_page_says_what_matters_most(provider, meeting, people, expected):
    for role, state in people:
        place(meeting, role, state)
    assert heading(provider.get("/launch/visit", secure=True)) == expected


def test_the_status_page_names_the_environment_and_no_person(provider, meeting, visit):
    place(meeting, "patient", State.WAITING)
    page = text(provider.get("/launch/visit", secure=True))
    assert "<strong>TEST</strong>" in page
    assert "has waited" in page
    for secret in ("Elena", "Rivera", "E40021877", "555-0177", "5550177", "482200417"):
        assert secret not in page


def test_the_status_page_admits_that_it_may_be_behind(provider, meeting):
    assert "This page may be behind" not in text(provider.get("/launch/visit", secure=True))  # it has only begun
    Meeting.objects.update(created_at=timezone.now() - timedelta(seconds=21))
    assert "This page may be behind" in text(provider.get("/launch/visit", secure=True))
    make_subscription(meeting)
    assert "This page may be behind" not in text(provider.get("/launch/visit", secure=True))


def test_the_status_page_is_sent_again_only_when_something_changed(provider, meeting):
    page = living(provider, "/launch/visit", "/launch/visit/status")
    seen = text(page).split('name="seen" value="')[1].split('"')[0]
    assert living(provider, "/launch/visit", "/launch/visit/status", seen=seen).status_code == 204
    place(meeting, "patient", State.WAITING)
    assert "Patient 1 is waiting" in text(living(provider, "/launch/visit", "/launch/visit/status", seen=seen))


def test_the_pages_may_be_framed_by_the_approved_epic_only(provider, patient):
    for browser, path in ((provider, "/launch/visit"), (patient, "/visit")):
        policy = browser.get(path, secure=True)["Content-Security-Policy"]
        assert "frame-ancestors https://hyperspace.lamna.example.org" in policy


@pytest.mark.parametrize("path", ["/visit", "/visit/end"])
def test_the_patients_pages_are_not_kept_indexed_or_referred_to(patient, path):
    page = patient.get(path, secure=True)
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "same-origin"
    assert '<meta name="robots" content="noindex">' in text(page)


def test_the_waiting_page_says_when_and_how_long(patient, visit):
    page = text(patient.get("/visit", secure=True))
    assert "You are checked in" in page
    assert "Central Time</b>" in page
    assert "Waiting for your care team." in page
    assert "0 minutes so far." in page
    assert 'href="tel:6085550110"' in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.EXPECTED, "Your care team is ready for you."),
        (State.WAITING, "You are in the waiting room. Your care team will let you in."),
        (State.CONNECTED, "You are in your visit."),
    ],
)
def test_the_waiting_page_follows_the_patient(patient, attempt, meeting, state, words):
    place(meeting, "patient", state, contact=attempt.contact)
    assert "Your care team is ready" not in text(patient.get("/visit", secure=True))
    place(meeting, "provider", State.CONNECTED)
    assert words in text(patient.get("/visit", secure=True))


def test_the_minutes_count_from_the_moment_the_patient_came(patient, attempt, meeting):
    LaunchAttempt.objects.update(finished_at=timezone.now() - timedelta(minutes=7))
    assert "7 minutes so far." in text(patient.get("/visit", secure=True))
    place(meeting, "patient", State.WAITING, contact=attempt.contact, minutes=1)
    assert "1 minute so far." in text(patient.get("/visit", secure=True))


def test_another_patient_of_a_group_is_not_this_one(patient, meeting):
    place(meeting, "patient", State.CONNECTED, ehr_user_id="eX.somebody-else")
    assert "Waiting for your care team." in text(patient.get("/visit", secure=True))


def test_a_patient_from_mychart_is_followed_by_their_ehr_user(launch, meeting, graph):
    begun = launch("patient")
    begun.finish(sub="Patient/eX.rivera")
    place(meeting, "patient", State.CONNECTED, ehr_user_id="eX.rivera")
    assert "You are in your visit." in text(begun.browser.get("/visit", secure=True))


def test_the_waiting_page_is_sent_again_only_when_something_changed(patient, attempt, meeting):
    page = living(patient, "/visit", "/visit/status")
    seen = text(page).split('name="seen" value="')[1].split('"')[0]
    assert living(patient, "/visit", "/visit/status", seen=seen).status_code == 204
    place(meeting, "provider", State.CONNECTED)
    assert "Your care team is ready" in text(living(patient, "/visit", "/visit/status", seen=seen))


def test_whoever_has_left_sees_the_end_and_can_go_back(patient, attempt, meeting):
    token = form_token(patient.get("/visit", secure=True))
    place(meeting, "patient", State.LEFT, contact=attempt.contact)
    part = patient.get("/visit/status", secure=True, headers={"HX-Request": "true", "X-Visit": token})
    assert part["HX-Redirect"] == "/visit"
    page = patient.get("/visit", secure=True)
    assert heading(page) == heading(patient.get("/visit/end", secure=True)) == "You have left your visit"
    again = patient.post("/visit/join", {"token": form_token(page)}, secure=True)
    assert meeting.patient_join_url in text(again)


def test_a_waiting_page_whose_visit_was_cancelled_loads_itself_again(patient, visit):
    token = form_token(patient.get("/visit", secure=True))
    type(visit).objects.update(state="cancelled")
    part = patient.get("/visit/status", secure=True, headers={"HX-Request": "true", "X-Visit": token})
    assert part["HX-Redirect"] == "/visit"


def test_a_page_that_lost_its_cookie_is_told_once(client, db):
    part = client.get("/visit/status", secure=True, headers={"HX-Request": "true"})
    assert part.status_code == 286
    assert "Open your visit again" in part.content.decode()


@pytest.mark.parametrize(("is_group", "flagged"), [(False, True), (True, False)])
def test_two_people_who_both_came_as_the_patient_are_flagged_unless_it_is_a_group(
    provider, meeting, visit, is_group, flagged
):
    visit.is_group = is_group
    visit.save()
    for number in range(2):
        place(meeting, "patient", State.WAITING, ehr_user_id=f"eX.{number}")
    assert ("Two different patients are here" in text(provider.get("/launch/visit", secure=True))) is flagged
    assert not meeting.participants.filter(state=State.CONNECTED).exists()


def test_one_patient_and_a_proxy_are_no_strangers(provider, meeting):
    place(meeting, "patient", State.WAITING, ehr_user_id="eX")
    place(meeting, "proxy", State.WAITING, ehr_user_id="eR")
    assert "Two different patients" not in text(provider.get("/launch/visit", secure=True))


def test_the_interpreter_is_named_first_and_to_be_admitted_first(provider, meeting):
    place(meeting, "patient", State.WAITING, minutes=9)
    place(meeting, "interpreter", State.WAITING, minutes=1)
    page = text(provider.get("/launch/visit", secure=True))
    assert page.index("Interpreter 1 has waited") < page.index("Patient 1 has waited")
    assert "Admit the interpreter first" in page
    assert "ready to interpret" in page
