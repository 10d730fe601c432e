"""Back from Epic: once, in the same browser, within ten minutes, by the right person."""

import logging
from datetime import timedelta

import jwt
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from config_portal.services.keys import public_keys
from launch.models import LaunchAttempt, OAuthState
from meetings.models import Meeting, Participant
from tests.epic.keys import private_key
from tests.factories import approve, make_visit
from tests.launch.epic import KEYS, TOKEN, smart_of
from tests.launch.pages import code_of, heading, refusal
from tests.meetings.background import bring_in_line
from visits.models import Visit


def test_a_provider_arrives_at_the_status_page_and_the_meeting_is_entered(launch, epic, graph):
    begun = launch()
    page = begun.finish()
    assert (page.status_code, page.url) == (303, "/launch/visit")
    attempt = LaunchAttempt.objects.get()
    assert attempt.state == LaunchAttempt.State.ARRIVED
    assert (attempt.role, attempt.ehr_user_id) == ("provider", "eP.okafor")
    assert Meeting.objects.get().visit == attempt.visit
    assert attempt.visit.session_id == "482200417"
    assert attempt.visit.conference_id == "conference-1"
    assert begun.browser.get("/launch/visit", secure=True).status_code == 200
    sent = epic.calls(TOKEN)[0].form
    assert sent["redirect_uri"] == begun.sent["redirect_uri"]
    assert sent["client_assertion_type"].endswith(":jwt-bearer")


def test_a_launch_asks_the_database_no_more_than_it_must(launch, graph, django_assert_max_num_queries):
    with django_assert_max_num_queries(21):  # as when this was written, among them those that begin and commit
        launch().finish()
    assert Meeting.objects.exists()


def test_nothing_is_asked_of_teams_before_the_status_page_is_there(launch, graph):
    launch().finish()
    assert graph.calls.total() == 0
    bring_in_line()
    assert Meeting.objects.get().is_joinable


@pytest.mark.parametrize(("sub", "role"), [("Patient/eX.rivera", "patient"), ("RelatedPerson/eR.lopez", "proxy")])
def test_a_patient_or_proxy_arrives_at_the_waiting_page(launch, graph, visit, sub, role):
    begun = launch("patient")
    assert begun.finish(sub=sub).url == "/visit"
    attempt = LaunchAttempt.objects.get()
    assert (attempt.visit, attempt.role) == (visit, role)
    assert begun.browser.get("/visit", secure=True).status_code == 200
    assert graph.calls.total() == 0


def test_the_visit_cookie_has_every_protection(launch, graph):
    begun = launch()
    begun.finish()
    header = begun.browser.cookies["__Host-visit"].OutputString()
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert part in header.split("; ")
    assert "Domain" not in header


def test_a_second_browser_is_refused_without_a_token_request(launch, epic, graph):
    begun = launch().begin()
    begun.answer()
    stranger = launch().begin().browser  # with a launch cookie of its own
    for browser in (stranger, Client()):
        page = begun.come_back(browser=browser)
        assert page.status_code == 400
        assert code_of(page) == "launch.other_browser"
        assert "__Host-visit" not in page.cookies
    assert epic.calls(TOKEN) == []
    assert begun.come_back().url == "/launch/visit"  # and the rightful one still gets in


def test_the_same_way_back_twice_makes_one_token_request(launch, epic, graph):
    begun = launch()
    begun.finish()
    page = begun.come_back()
    assert heading(page) == "Open the visit again from Epic"
    assert code_of(page) == "launch.state_used"
    assert len(epic.calls(TOKEN)) == 1
    assert LaunchAttempt.objects.get().state == LaunchAttempt.State.ARRIVED


def test_a_state_of_ten_minutes_and_a_second_is_refused(launch, epic, graph):
    begun = launch().begin()
    begun.answer()
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1), tick=False):
        page = begun.come_back()
    assert code_of(page) == "launch.state_expired"
    assert epic.calls(TOKEN) == []


def test_an_unknown_state_is_refused(launch, epic):
    begun = launch().begin()
    assert code_of(begun.come_back(state="made up")) == "launch.state_unknown"
    assert epic.calls(TOKEN) == []


def test_a_state_of_the_other_way_in_is_unknown(launch, epic):
    begun = launch("patient").begin()
    begun.audience = "provider"
    assert code_of(begun.come_back()) == "launch.state_unknown"


def test_an_answer_of_another_server_is_refused_without_a_token_request(launch, epic):
    begun = launch().begin()
    page = begun.come_back(iss="https://evil.test/oauth2")
    assert code_of(page) == "launch.issuer_mixed_up"
    assert epic.calls(TOKEN) == []


def test_an_answer_that_names_the_right_server_is_accepted(launch, epic, graph):
    begun = launch().begin()
    begun.answer()
    assert begun.come_back(iss=f"{epic.url}/oauth2").url == "/launch/visit"


@pytest.mark.parametrize("changes", [{"error": "access_denied", "code": ""}, {"code": ""}])
def test_a_refusal_by_epic_is_a_page_with_the_attempts_own_reference(launch, epic, changes):
    page = launch().begin().come_back(**changes)
    assert code_of(page) == "launch.epic_declined"
    attempt = LaunchAttempt.objects.get()
    assert attempt.state == LaunchAttempt.State.REFUSED
    assert attempt.error_code == "launch.epic_declined"
    event = refusal(page)
    assert event.reference == attempt.reference
    assert event.organization_id == attempt.organization_id
    assert event.subject_id == str(attempt.pk)
    assert epic.calls(TOKEN) == []


@pytest.mark.parametrize(
    ("audience", "sub"),
    [("provider", "Patient/eX.rivera"), ("provider", "RelatedPerson/eR"), ("patient", "Practitioner/eP")],
)
def test_a_person_of_another_role_is_refused(launch, graph, audience, sub):
    begun = launch(audience)
    page = begun.finish(sub=sub)
    assert page.status_code == 403
    assert code_of(page) == "launch.wrong_role"
    assert "__Host-visit" not in begun.browser.cookies
    assert not Visit.objects.exists()


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "another"}, "id_token.nonce"),
        ({"aud": "another-app"}, "id_token.audience"),
        ({"exp": 1_700_000_000}, "id_token.expired"),
    ],
)
def test_an_id_token_that_does_not_hold_is_refused(launch, graph, claims, code):
    assert code_of(launch().finish(claims=claims)) == code
    assert graph.calls.total() == 0


def test_an_id_token_of_an_attackers_key_is_refused(launch, graph):
    assert code_of(launch().finish(key=private_key("rs-attacker"))) == "id_token.signature"


@pytest.mark.parametrize(("session_id", "code"), [("%CSN%", "launch.context_not_filled"), ("", "launch.no_session")])
def test_a_context_that_names_no_visit_is_refused(launch, graph, session_id, code):
    assert code_of(launch().finish(session_id=session_id)) == code


def test_a_copy_of_the_context_in_the_address_is_not_read(launch, graph):
    begun = launch().begin()
    begun.answer()
    begun.come_back(sessionId="999")
    assert Visit.objects.get().session_id == "482200417"


def test_a_code_that_epic_refuses_is_a_page(launch, epic, graph):
    begun = launch().begin()
    epic.answers(TOKEN, {"error": "invalid_grant"}, status=400)
    assert code_of(begun.come_back()) == "epic.invalid_grant"


def test_an_epic_that_is_away_is_a_page(launch, epic, graph):
    begun = launch().begin()
    epic.answers(TOKEN, {}, status=503)
    page = begun.come_back()
    assert page.status_code == 503
    assert code_of(page) == "epic.failing"


def test_a_cancelled_visit_is_not_opened(launch, endpoint, graph):
    visit = make_visit(endpoint)
    Visit.objects.filter(pk=visit.pk).update(state=Visit.State.CANCELLED)
    provider, patient = launch().finish(), launch("patient").finish(sub="Patient/eX.rivera")
    assert code_of(provider) == "launch.visit_ended"
    assert code_of(patient) == "join.cancelled"
    assert graph.calls.total() == 0


def test_a_teams_that_is_away_does_not_cost_the_launch(launch, graph, settings):
    settings.GRAPH_BASE_URL = "http://127.0.0.1:9/graph"
    assert launch().finish().url == "/launch/visit"
    assert LaunchAttempt.objects.get().state == LaunchAttempt.State.ARRIVED


def test_the_status_page_says_why_teams_has_not_made_the_meeting(launch, graph):
    begun = launch()
    begun.finish()
    notice = "Teams has not made this meeting yet"
    assert notice not in begun.browser.get("/launch/visit", secure=True).content.decode()
    graph.refuse(503)
    bring_in_line()
    page = begun.browser.get("/launch/visit", secure=True).content.decode()
    assert notice in page
    assert "graph.failing" in page


def test_a_meeting_that_is_made_after_all_takes_the_notice_away(launch, graph, settings):
    begun, right = launch(), settings.GRAPH_BASE_URL
    begun.finish()
    settings.GRAPH_BASE_URL = "http://127.0.0.1:9/graph"
    bring_in_line()
    assert "graph.unreachable" in begun.browser.get("/launch/visit", secure=True).content.decode()
    settings.GRAPH_BASE_URL = right
    bring_in_line(timezone.now() + timedelta(hours=1))
    assert "graph.unreachable" not in begun.browser.get("/launch/visit", secure=True).content.decode()


def test_to_arrive_is_not_yet_to_be_expected_in_teams(launch, graph):
    launch().finish()
    assert not Participant.objects.exists()


def test_no_token_code_or_launch_string_stays_in_the_database(launch, epic, graph, django_db_blocker):
    begun = launch()
    begun.begin(launch="canary-launch")
    begun.answer()
    begun.come_back()
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', ["%canary%"])  # noqa: S608
            assert cursor.fetchone() == (0,), table
    assert "canary" not in str(begun.browser.cookies)
    assert OAuthState.objects.get().used_at is not None
    assert len(epic.calls(KEYS)) == 1


@pytest.mark.parametrize("launches", [10, pytest.param(100, marks=pytest.mark.chaos)])
def test_a_hundred_launches_leave_nothing_secret_in_cookies_or_logs(launch, graph, caplog, launches):
    caplog.handler.setFormatter(logging.getLogger().handlers[0].formatter)  # the lines as they are written
    for number in range(launches):
        begun = launch()
        begun.begin(launch=f"canary-launch-{number}")
        begun.answer(session_id=str(482200417 + number))
        assert begun.come_back().status_code == 303
        assert "canary" not in str(begun.browser.cookies)
    assert caplog.text.count('"event": "request"') >= 3 * launches
    assert "canary" not in caplog.text


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_the_assertion_is_signed_with_the_approved_algorithm(launch, endpoint, epic, graph, algorithm):
    endpoint.assertion_algorithm = algorithm
    endpoint.save()
    approve(endpoint, smart=smart_of(epic))
    assert launch().finish().status_code == 303
    (asked,) = epic.calls(TOKEN)
    assertion = asked.form["client_assertion"]
    assert jwt.get_unverified_header(assertion)["alg"] == algorithm
    published = public_keys(endpoint)["keys"]
    (key,) = [key for key in published if key["kid"] == jwt.get_unverified_header(assertion)["kid"]]
    claims = jwt.decode(assertion, jwt.PyJWK(key), algorithms=[algorithm], audience=smart_of(epic).token_endpoint)
    assert claims["iss"] == claims["sub"] == "provider-app"
