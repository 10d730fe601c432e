"""Invitations: a provider makes and takes them back; looking at one changes nothing, the button lets one person in."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent
from launch.models import Invitation, LaunchAttempt
from launch.services import invitations, misses
from meetings.models import Meeting, Participant
from meetings.providers.base import Identity, RosterChange, Whereabouts
from meetings.services.participants import connection_of
from tests.launch.pages import code_of, form_token, heading
from tests.meetings.rows import make_meeting, make_subscription
from writeback.models import WritebackEvent

ROLES = list(Invitation.Role)


@pytest.fixture
def meeting(visit) -> Meeting:
    """A meeting with a live subscription, so that nobody's way in asks Graph for one."""
    meeting = make_meeting(visit)
    make_subscription(meeting)
    return meeting


@pytest.fixture
def provider(launch, meeting, graph):
    begun = launch()
    begun.finish()
    return begun.browser


def press(browser, name, **fields):
    token = form_token(browser.get("/launch/visit", secure=True))
    return browser.post(f"/launch/visit/{name}", {"token": token, **fields}, secure=True)


def invited(provider, role="interpreter"):
    """Invite somebody and return the path of the link as the page shows it."""
    assert press(provider, "invite", role=role).url == "/launch/visit?invited"
    page = provider.get("/launch/visit", secure=True).content.decode()
    return re.findall(r"<code class=\"code\">https?://[^/]+(/i/[\w-]{22})</code>", page)[-1]


def rows():
    return (LaunchAttempt.objects.count(), AuditEvent.objects.count(), list(Invitation.objects.values()))


def test_looking_a_hundred_times_changes_nothing_and_discloses_nothing(client, provider, visit, graph):
    path = invited(provider)
    before = rows()
    for _ in range(100):
        page = client.get(path, secure=True)
        assert client.head(path, secure=True).content == b""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
    assert heading(page) == "You are invited to a video visit with Lamna Healthcare"
    assert not re.search(r"\d:\d\d|teams|interpret|482200417|America/|\bTime\b", text, re.IGNORECASE)
    assert visit.reference not in text
    assert page["Cache-Control"] == "no-store"
    assert rows() == before


@pytest.mark.parametrize("role", ROLES)
def test_the_button_brings_a_guest_to_the_waiting_page_and_into_the_meeting_in_their_own_role(
    client, provider, meeting, role
):
    path = invited(provider, role)
    assert client.post(path, secure=True).url == "/visit/check"
    page = client.get("/visit", secure=True)
    assert heading(page) == "You are checked in"
    teams = client.post("/visit/join", {"token": form_token(page)}, secure=True).content.decode()
    has_account = role == Invitation.Role.COLLEAGUE
    assert (meeting.join_web_url if has_account else meeting.patient_join_url) in teams.replace("&amp;", "&")
    person = meeting.participants.get(role=role)
    assert person.expected_at is not None
    assert (person.contact_id, person.ehr_user_id) == (None, "")
    assert f"{Invitation.Role(role).label} 1" in provider.get("/launch/visit", secure=True).content.decode()


def test_whoever_comes_back_by_the_same_invitation_is_the_same_participant(provider, meeting):
    path = invited(provider)
    for _ in range(2):
        browser = Client()
        browser.post(path, secure=True)
        browser.post("/visit/join", {"token": form_token(browser.get("/visit", secure=True))}, secure=True)
    other = Client()
    other.post(invited(provider), secure=True)
    other.post("/visit/join", {"token": form_token(other.get("/visit", secure=True))}, secure=True)
    assert meeting.participants.filter(role="interpreter").count() == 2


def test_a_staff_interpreter_with_an_account_is_known_as_the_interpreter(client, provider, meeting):
    client.post(invited(provider), secure=True)
    client.post("/visit/join", {"token": form_token(client.get("/visit", secure=True))}, secure=True)
    account = Identity(id="00000000-0000-4000-8000-0000000000a1", tenant_id=str(meeting.tenant_id))
    change = RosterChange(connection_id="c1", whereabouts=Whereabouts.IN_CALL, identity=account)
    now = timezone.now()
    assert connection_of(meeting, change, at=now, now=now).participant.role == Participant.Role.INTERPRETER


def test_an_interpreter_is_named_first_in_the_lobby(client, provider, meeting):
    client.post(invited(provider), secure=True)
    client.post("/visit/join", {"token": form_token(client.get("/visit", secure=True))}, secure=True)
    at = timezone.now()
    meeting.participants.create(
        organization=meeting.organization, role="patient", ordinal=1, state="waiting",
        state_at=at - timedelta(minutes=9), created_at=at,
    )  # fmt: skip
    meeting.participants.filter(role="interpreter").update(state="waiting", state_at=at)
    page = " ".join(provider.get("/launch/visit", secure=True).content.decode().split())
    assert page.index("Interpreter 1 has waited") < page.index("Patient 1 has waited")
    assert "Admit the interpreter first, in Teams." in page


def test_an_invitation_that_was_taken_back_lets_nobody_in_not_even_those_on_the_waiting_page(client, provider):
    path = invited(provider)
    client.post(path, secure=True)
    waiting = client.get("/visit", secure=True)
    assert press(provider, "revoke", invitation=Invitation.objects.get().pk).url == "/launch/visit"
    assert code_of(client.post("/visit/join", {"token": form_token(waiting)}, secure=True)) == "join.revoked"
    late = Client().post(path, secure=True)
    assert late.status_code == 410
    assert code_of(late) == "join.revoked"
    page = provider.get("/launch/visit", secure=True).content.decode()
    assert "Taken back" in page
    assert path not in page


def test_a_provider_of_another_visit_cannot_take_it_back(provider, launch):
    invited(provider)
    other = launch()
    other.finish(session_id="482200999")
    press(other.browser, "revoke", invitation=Invitation.objects.get().pk)
    assert Invitation.objects.get().revoked_at is None


def test_an_invitation_ends_with_the_window_of_the_visit_and_then_looks_as_if_there_were_none(client, provider, visit):
    path = invited(provider)
    invitation = Invitation.objects.get()
    assert visit.ends_at < invitation.expires_at <= visit.ends_at + timedelta(hours=4)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    over, unknown = client.get(path, secure=True), client.get("/i/AAAAAAAAAAAAAAAAAAAAAA", secure=True)
    assert over.status_code == unknown.status_code == 404
    assert heading(over) == heading(unknown) == "This link does not work"


@pytest.mark.django_db
def test_wrong_links_of_both_kinds_are_counted_together(client):
    for number in range(misses.MOST_IN_A_MINUTE):
        assert client.get(f"/{'ij'[number % 2]}/AAAAAAAAAAAAAAAAAAAAAA", secure=True).status_code == 404
    assert client.get("/i/AAAAAAAAAAAAAAAAAAAAAA", secure=True).status_code == 429
    assert client.get("/j/AAAAAAAAAAAAAAAAAAAAAA", secure=True).status_code == 429


def test_only_an_index_of_the_link_is_stored_and_the_trail_names_nobody(provider):
    path = invited(provider)
    token = path.removeprefix("/i/")
    stored = repr(list(Invitation.objects.values())) + repr(list(AuditEvent.objects.values("data", "actor")))
    assert token not in stored
    event = AuditEvent.objects.get(action="invitation.created")
    assert (event.data, event.reference) == ({"role": "interpreter"}, LaunchAttempt.objects.get().reference)


def test_nobody_makes_more_than_twenty(provider, monkeypatch):
    monkeypatch.setattr(invitations, "MOST_OPEN", 2)
    assert [press(provider, "invite", role="family").status_code for _ in range(3)] == [303, 303, 409]
    assert Invitation.objects.count() == 2


def test_a_role_that_nobody_may_have_by_invitation_makes_none(provider):
    for role in ("provider", "patient", ""):
        press(provider, "invite", role=role)
    assert not Invitation.objects.exists()


def test_a_guests_device_test_is_stored_and_epic_is_not_told_of_it(client, provider):
    client.post(invited(provider), secure=True)
    page = client.get("/visit/check", secure=True)
    results = dict.fromkeys(("connection", "camera", "microphone", "speaker", "call"), "passed")
    sent = client.post("/visit/check/result", {"token": form_token(page), **results}, secure=True)
    assert sent.status_code == 204
    assert LaunchAttempt.objects.get(audience="guest").device_tests.count() == 1
    assert not WritebackEvent.objects.filter(kind__contains="test").exists()


def test_a_guest_cannot_reach_the_providers_page(client, provider):
    client.post(invited(provider, "colleague"), secure=True)
    assert client.get("/launch/visit", secure=True).status_code == 403
