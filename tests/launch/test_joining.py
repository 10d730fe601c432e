"""From the waiting page to Teams: the same person, the same visit, as long as they may."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from launch.models import LaunchAttempt
from meetings.models import Participant
from tests.factories import make_contact, make_scheduled, make_visit
from tests.launch.pages import code_of, form_token, heading
from visits.models import Visit
from visits.services.links import ensure_link, token_of
from visits.services.scheduling import ScheduledPerson, end_visit, schedule_visit


def join(browser, page="/visit", action="/visit/join", **values):
    token = form_token(browser.get(page, secure=True))
    return browser.post(action, {"token": token, **values}, secure=True)


def goes_to(page):
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', page.content.decode())
    assert found, page.content.decode()
    return found.group(1)


def test_the_button_opens_teams_and_the_meeting_expects_the_patient(patient, attempt, graph):
    page = join(patient)
    assert goes_to(page) == "https://visit.example.org/route?convId=1"
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    participant = Participant.objects.get()
    assert (participant.role, participant.contact) == ("patient", attempt.contact)
    attempt.refresh_from_db()
    assert attempt.state == LaunchAttempt.State.JOINED


def test_the_provider_goes_to_the_meeting_as_a_member(launch, graph):
    begun = launch()
    begun.finish()
    page = join(begun.browser, "/launch/visit", "/launch/visit/join")
    assert goes_to(page) == "https://teams.example.org/l/meetup-join/meeting-1/0"
    assert Participant.objects.get().ehr_user_id == "eP.okafor"


def test_provider_and_patient_meet_in_one_meeting(launch, visit, patient, graph):
    begun = launch()
    begun.finish()
    join(begun.browser, "/launch/visit", "/launch/visit/join")
    join(patient)
    assert len(graph.meetings) == 1
    assert {person.role for person in visit.meeting.participants.all()} == {"provider", "patient"}


@pytest.mark.parametrize("token", ["", "made up", "é"])
def test_a_form_that_is_not_ours_is_refused(patient, graph, token):
    page = patient.post("/visit/join", {"token": token}, secure=True)
    assert page.status_code == 403
    assert code_of(page) == "visit.other_visit"
    assert graph.calls.total() == 0


def test_the_cookie_of_another_patient_opens_that_patients_visit_whatever_the_address_says(endpoint, patient, graph):
    other = make_visit(endpoint, session_id="482200999", starts_at=timezone.now() + timedelta(minutes=5))
    person_b = Client()
    person_b.post(f"/j/{token_of(ensure_link(make_contact(other)))}", secure=True)
    mine = LaunchAttempt.objects.exclude(visit=other).get()
    for name in ("visit", "attempt", "session_id", "csn", "meeting"):
        person_b.get(f"/visit?{name}={mine.visit_id}", secure=True)
    join(person_b, visit=str(mine.visit_id), attempt=str(mine.pk), meeting="1")
    assert Participant.objects.get().meeting.visit == other


def test_a_page_that_was_opened_for_another_visit_does_not_join_this_one(endpoint, patient, graph):
    old_page = form_token(patient.get("/visit", secure=True))
    other = make_visit(endpoint, session_id="482200999", starts_at=timezone.now() + timedelta(minutes=5))
    patient.post(f"/j/{token_of(ensure_link(make_contact(other)))}", secure=True)
    page = patient.post("/visit/join", {"token": old_page}, secure=True)
    assert code_of(page) == "visit.other_visit"
    living = {"HX-Request": "true", "X-Visit": old_page}
    part = patient.get("/visit/status", secure=True, headers=living)
    assert part.status_code == 286
    assert "Another visit was opened here" in part.content.decode()


def test_a_cookie_of_eight_hours_and_a_second_is_expired(patient):
    with time_machine.travel(timezone.now() + timedelta(hours=8, seconds=1), tick=False):
        page = patient.get("/visit", secure=True)
    assert page.status_code == 403
    assert code_of(page) == "visit.no_cookie"


def test_a_cookie_that_was_changed_is_no_cookie(patient):
    patient.cookies["__Host-visit"] = patient.cookies["__Host-visit"].value[:-1] + "x"
    assert code_of(patient.get("/visit", secure=True)) == "visit.no_cookie"


@pytest.mark.parametrize("path", ["/launch/visit", "/launch/visit/status"])
def test_a_patient_does_not_see_the_providers_pages(patient, path):
    assert code_of(patient.get(path, secure=True)) == "visit.no_cookie"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/visit", "/visit/status", "/visit/end", "/launch/visit", "/launch/visit/status"])
def test_without_a_cookie_there_is_no_page(client, path):
    page = client.get(path, secure=True)
    assert page.status_code == 403
    assert code_of(page) == "visit.no_cookie"


@pytest.mark.parametrize("path", ["/visit/join", "/launch/visit/join"])
def test_looking_never_joins(patient, path):
    assert patient.get(path, secure=True).status_code == 405


def test_whoever_checked_in_before_a_cancellation_is_turned_away(endpoint, visit, patient, graph):
    token = form_token(patient.get("/visit", secure=True))
    end_visit(endpoint, visit.session_id, state=Visit.State.CANCELLED, changed_at=timezone.now(), now=timezone.now())
    assert code_of(patient.post("/visit/join", {"token": token}, secure=True)) == "join.cancelled"
    assert code_of(patient.get("/visit", secure=True)) == "join.cancelled"
    assert graph.calls.total() == 0


@pytest.mark.parametrize(
    ("minutes", "person", "code"),
    [
        (5, ScheduledPerson(record_number="E40021877", phone="+16085550177"), "join.moved"),
        (0, ScheduledPerson(record_number="E40021877", phone="+16085550188"), "join.replaced"),
        (0, ScheduledPerson(record_number="E40099999", phone="+16085550177"), "join.replaced"),
    ],
    ids=["moved", "other number", "other patient"],
)
def test_whoever_checked_in_by_a_link_that_has_ended_is_turned_away(
    endpoint, visit, patient, graph, minutes, person, code
):
    token = form_token(patient.get("/visit", secure=True))
    starts_at = visit.starts_at + timedelta(minutes=minutes)
    scheduled = make_scheduled(starts_at=starts_at, changed_at=timezone.now(), people=(person,))
    schedule_visit(endpoint, scheduled, now=timezone.now())
    page = patient.post("/visit/join", {"token": token}, secure=True)
    assert page.status_code == 410
    assert code_of(page) == code
    assert LaunchAttempt.objects.get().error_code == code
    assert graph.calls.total() == 0


def test_a_pause_stops_everybody_at_once(endpoint, launch, patient, graph):
    begun = launch()
    begun.finish()
    provider_token = form_token(begun.browser.get("/launch/visit", secure=True))
    patient_token = form_token(patient.get("/visit", secure=True))
    endpoint.is_paused = True
    endpoint.save()
    asked = graph.calls.total()
    for browser, path, token in (
        (patient, "/visit/join", patient_token),
        (begun.browser, "/launch/visit/join", provider_token),
    ):
        page = browser.post(path, {"token": token}, secure=True)
        assert page.status_code == 503
        assert code_of(page) == "endpoint.paused"
    assert graph.calls.total() == asked


def test_a_patient_from_mychart_who_is_too_early_is_told_when(launch, endpoint, graph):
    make_visit(endpoint, starts_at=timezone.now() + timedelta(hours=3))
    begun = launch("patient")
    begun.finish(sub="Patient/eX.rivera")
    page = begun.browser.get("/visit", secure=True)
    assert page.status_code == 409
    assert heading(page) == "Your visit is not open yet"
    assert graph.calls.total() == 0


def test_a_teams_that_does_not_answer_is_a_page_and_can_be_tried_again(patient, graph, settings):
    base = settings.GRAPH_BASE_URL
    settings.GRAPH_BASE_URL = "http://127.0.0.1:9/graph"
    page = join(patient)
    assert page.status_code == 503
    assert code_of(page) == "graph.unreachable"
    assert "It is not your fault." in page.content.decode()
    settings.GRAPH_BASE_URL = base
    assert goes_to(join(patient))
    assert LaunchAttempt.objects.get().error_code == ""
