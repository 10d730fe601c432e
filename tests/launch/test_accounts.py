"""A clinician's first time: sign in with Microsoft once where meetings are theirs, then straight to Teams."""

import html
import re
import uuid
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent
from launch.models import LaunchAttempt, ProviderAccount
from launch.views.pages import app_address
from meetings.models import Meeting
from tests.factories import ORGANIZER_ID, approve
from tests.launch.epic import smart_of
from tests.launch.pages import code_of, form_token, heading

OKAFOR = uuid.UUID("00000000-0000-4000-8000-0000000000c1")
FIRST_TIME = "Sign in with Microsoft, once"
TEAMS = "Opening Microsoft Teams"


@pytest.fixture
def personal(endpoint, epic):
    """Meetings belong to the first provider who opens the visit."""
    tenant = endpoint.organization.teams_tenant
    tenant.organizer_mode = "first_provider"
    tenant.save()
    approve(endpoint, smart=smart_of(epic))
    return tenant


def join(browser, **fields):
    token = form_token(browser.get("/launch/visit", secure=True))
    return browser.post("/launch/visit/join", {"token": token, **fields}, secure=True)


def begun(launch, **answer):
    opened = launch()
    assert opened.finish(**answer).status_code == 303
    return opened.browser


def sign_in_address(page):
    """Return the query of Microsoft's sign-in as the page offers it."""
    href = re.search(r'href="([^"]+/oauth2/v2\.0/authorize\?[^"]+)"', page.content.decode())
    assert href, page.content.decode()
    query = parse_qs(urlsplit(html.unescape(href.group(1))).query)
    return {name: value for name, (value,) in query.items()}


def answer(graph, settings, tenant, asked, **changes):
    claims = {
        "iss": f"{settings.ENTRA_BASE_URL}/{tenant.tenant_id}/v2.0", "aud": str(tenant.client_id),
        "tid": str(tenant.tenant_id), "oid": str(OKAFOR), "nonce": asked["nonce"],
        "exp": timezone.now().timestamp() + 300, **changes,
    }  # fmt: skip
    graph.id_token = jwt.encode({name: value for name, value in claims.items() if value}, "k" * 32)


def come_back(browser, asked, **changes):
    query = {"state": asked["state"], "code": "c0de", **changes}
    return browser.get("/launch/visit/account", query, secure=True)


def test_the_first_time_asks_to_sign_in_and_every_later_visit_goes_straight_through(launch, personal, graph, settings):
    browser = begun(launch)
    assert not Meeting.objects.exists()  # whose it becomes is not known yet
    page = join(browser)
    assert heading(page) == FIRST_TIME
    asked = sign_in_address(page)
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{settings.PUBLIC_URL}/launch/visit/account"
    answer(graph, settings, personal, asked)
    assert heading(come_back(browser, asked)) == TEAMS
    assert any(form.get("code_verifier") for form in graph.forms)
    meeting = Meeting.objects.get()
    assert meeting.organizer_object_id == OKAFOR
    assert meeting.participants.get(role="provider").entra_object_id == OKAFOR

    later = begun(launch, session_id="482200999")
    assert heading(join(later)) == TEAMS
    assert set(Meeting.objects.values_list("organizer_object_id", flat=True)) == {OKAFOR}


def test_nothing_of_the_sign_in_is_kept_but_the_account(launch, personal, graph, settings):
    browser = begun(launch)
    asked = sign_in_address(join(browser))
    answer(graph, settings, personal, asked, name="Amara Okafor", preferred_username="a.okafor@lamna.example.org")
    come_back(browser, asked)
    stored = repr(ProviderAccount.objects.values()) + repr(list(AuditEvent.objects.values("data", "actor")))
    assert "kafor" not in stored
    assert AuditEvent.objects.filter(action="account.remembered").count() == 1


def test_whoever_does_not_want_to_sign_in_still_comes_in(launch, personal, graph):
    browser = begun(launch)
    assert heading(join(browser, as_is="1")) == TEAMS
    assert str(Meeting.objects.get().organizer_object_id) == str(ORGANIZER_ID)
    assert not ProviderAccount.objects.exists()


def test_nobody_is_asked_where_one_account_organizes_all_meetings(launch, graph):
    assert heading(join(begun(launch))) == TEAMS


@pytest.mark.parametrize(
    "wrong",
    [
        {"tid": str(uuid.uuid4())}, {"iss": "https://login.example.org/x/v2.0"}, {"aud": "another-app"},
        {"nonce": "another"}, {"exp": 1.0}, {"oid": None}, {"oid": "no-uuid"},
    ],
)  # fmt: skip
def test_an_answer_that_does_not_hold_is_not_remembered(launch, personal, graph, settings, wrong):
    browser = begun(launch)
    asked = sign_in_address(join(browser))
    answer(graph, settings, personal, asked, **wrong)
    page = come_back(browser, asked)
    assert page.status_code == 403
    assert code_of(page) == "account.refused"
    assert not ProviderAccount.objects.exists()


def test_a_sign_in_belongs_to_the_launch_it_was_begun_from(launch, personal, graph, settings):
    asked = sign_in_address(join(begun(launch)))
    other = begun(launch, session_id="482200999")
    answer(graph, settings, personal, asked)
    for browser, query in ((other, asked), (other, {"state": "forged"})):
        assert code_of(come_back(browser, query)) == "account.refused"
    assert come_back(Client(), asked).status_code == 403
    assert not ProviderAccount.objects.exists()


def test_a_sign_in_that_was_given_up_says_how_to_go_on(launch, personal, graph):
    browser = begun(launch)
    asked = sign_in_address(join(browser))
    assert code_of(come_back(browser, asked, code="", error="access_denied")) == "account.refused"


def test_the_way_teams_was_opened_is_remembered_by_the_browser_and_by_nobody_else(launch, graph):
    browser = begun(launch)
    joined = join(browser, opens_in="browser")
    cookie = joined.cookies["__Host-open"]
    assert (cookie.value, cookie["secure"], cookie["samesite"], cookie["partitioned"]) == (
        "browser",
        True,
        "None",
        True,
    )
    text = browser.get("/launch/visit", secure=True).content.decode()
    assert text.index("Join in browser") < text.index("Join in Teams app")
    assert "opens_in" not in repr(LaunchAttempt.objects.values())


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("https://teams.microsoft.com/l/meetup-join/19%3am/0?context=1", "msteams:/l/meetup-join/19%3am/0?context=1"),
        ("https://teams.example.org/l/meetup-join/1/0", "https://teams.example.org/l/meetup-join/1/0"),
    ],
)  # fmt: skip
def test_the_app_is_opened_by_its_own_address_where_that_is_known(address, opened):
    assert app_address(address) == opened


def test_a_window_opened_from_a_frame_is_let_in_by_the_forms_ticket_and_our_origin(launch, graph, settings):
    page = begun(launch).get("/launch/visit", secure=True)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.content.decode()).group(1)
    fields = {"token": form_token(page), "ticket": ticket}

    def opened(**headers):
        return Client().post("/launch/visit/join", fields, secure=True, headers=headers)

    let_in = opened(origin=settings.PUBLIC_URL)
    assert heading(let_in) == TEAMS
    assert let_in.cookies["__Host-visit"].value
    for headers in ({}, {"origin": "null"}, {"origin": "https://elsewhere.example.org"}):
        assert opened(**headers).status_code == 403
    fields["ticket"] = "forged"
    assert opened(origin=settings.PUBLIC_URL).status_code == 403
