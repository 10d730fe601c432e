"""Patients who speak Spanish read nothing but Spanish."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from launch.models import LaunchAttempt
from meetings.models import Participant
from tests.factories import make_contact, make_visit
from tests.launch.pages import form_token, heading
from tests.launch.test_catalogue import NEEDED
from tests.meetings.rows import make_meeting
from visits.models import PatientContact, Visit
from visits.services.links import ensure_link, token_of
from visits.services.scheduling import end_visit

SPANISH = {"accept-language": "es-US,es;q=0.9,en;q=0.5"}
# Words that no Spanish sentence of ours holds; "visit" and "call" would be in addresses.
ENGLISH = re.compile(r"\b(the|your|you|is|are|this|in|and|of|open|help|call|wait|minutes?|today|time)\b", re.IGNORECASE)


def shown(page):
    """Return the words a person reads or hears, without the organization and the other language's name."""
    text = page.content.decode()
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    labels = " ".join(re.findall(r'aria-label="([^"]*)"', text))
    words = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return " ".join(f"{words} {labels}".split()).replace("Lamna Healthcare", "").replace("English", "")


def assert_spanish(page, title):
    assert heading(page) == title
    assert '<html lang="es"' in page.content.decode()
    words = shown(page)
    assert not ENGLISH.findall(words), words
    assert not [message for message in NEEDED if len(message) > 12 and message in words]


@pytest.fixture
def spanish(visit):
    """A browser set to English whose patient speaks Spanish, as Epic says."""
    PatientContact.objects.update(language="es")
    return Client()


def test_from_the_link_to_the_end_page(spanish, address, visit, graph):
    assert_spanish(spanish.get(address, secure=True), "Su videoconsulta con Lamna Healthcare")
    spanish.post(address, secure=True)
    page = spanish.get("/visit", secure=True)
    assert_spanish(page, "Su llegada está registrada")
    assert re.search(r"Su consulta es (hoy|el \w+ \d+ de \w+) a las? \d", shown(page))
    assert "Lleva 0 minutos esperando." in shown(page)
    assert_spanish(spanish.post("/visit/join", {"token": form_token(page)}, secure=True), "Abriendo Microsoft Teams")
    Participant.objects.update(state=Participant.State.LEFT)
    assert_spanish(spanish.get("/visit", secure=True), "Ha salido de su consulta")


@pytest.mark.parametrize(
    ("state", "with_provider"),
    [("waiting", False), ("connected", True), ("expected", True)],
)
def test_every_state_of_the_waiting_page(spanish, address, visit, state, with_provider):
    spanish.post(address, secure=True)
    meeting = make_meeting(visit)
    contact = LaunchAttempt.objects.get().contact
    who = {"organization": meeting.organization, "meeting": meeting, "ordinal": 1, "created_at": timezone.now()}
    minute_ago = timezone.now() - timedelta(seconds=61)
    Participant.objects.create(role="patient", contact=contact, state=state, state_at=minute_ago, **who)
    if with_provider:
        Participant.objects.create(role="provider", state="connected", state_at=minute_ago, **who)
    assert_spanish(spanish.get("/visit", secure=True), "Su llegada está registrada")


def test_too_early(endpoint):
    visit = make_visit(endpoint, starts_at=timezone.now() + timedelta(days=3))
    contact = make_contact(visit)
    page = Client(headers=SPANISH).post(f"/j/{token_of(ensure_link(contact))}", secure=True)
    assert heading(page) == "Your visit is not open yet"  # Epic says the patient speaks English
    PatientContact.objects.update(language="es")
    page = Client().post(f"/j/{token_of(ensure_link(contact))}", secure=True)
    assert_spanish(page, "Su consulta todavía no está abierta")


def test_cancelled(spanish, endpoint, visit, address):
    end_visit(endpoint, visit.session_id, state=Visit.State.CANCELLED, changed_at=timezone.now(), now=timezone.now())
    assert_spanish(spanish.post(address, secure=True), "Esta consulta se canceló")


def test_paused(spanish, endpoint, address):
    type(endpoint).objects.update(is_paused=True)
    assert_spanish(spanish.post(address, secure=True), "Su consulta no se puede abrir en este momento")


def test_an_unknown_link_speaks_the_browsers_language(db):
    browser = Client(headers=SPANISH)
    assert_spanish(browser.get("/j/AAAAAAAAAAAAAAAAAAAAAA", secure=True), "Este enlace no funciona")


def test_a_way_back_from_mychart_that_does_not_count(launch):
    begun = launch("patient", browser=Client(headers=SPANISH)).begin()
    assert_spanish(begun.come_back(state="made up"), "Su consulta no se abrió")


def test_a_window_that_keeps_no_cookie(launch):
    blocked = launch("patient", browser=Client(headers=SPANISH))
    page = blocked.browser.post(blocked.address, {"iss": "https://fhir.example.org", "launch": "a"}, secure=True)
    assert_spanish(page, "Abra su consulta en una ventana nueva")


def test_the_language_a_person_chooses_counts_more_than_the_one_on_file(spanish, address):
    page = spanish.get(address, secure=True)
    assert f'name="next" value="{address}"' in page.content.decode()
    chosen = spanish.post("/language", {"language": "en", "next": address}, secure=True)
    assert chosen.url == address
    assert heading(spanish.get(address, secure=True)) == "Your video visit with Lamna Healthcare"


def test_a_page_that_only_a_form_can_reach_offers_no_other_language(spanish, endpoint, address, graph):
    spanish.post(address, secure=True)
    token = form_token(spanish.get("/visit", secure=True))
    type(endpoint).objects.update(is_paused=True)
    page = spanish.post("/visit/join", {"token": token}, secure=True)
    assert 'action="/language"' not in page.content.decode()
