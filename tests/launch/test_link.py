"""The link of a text: looking changes nothing and discloses nothing; the button lets one patient in."""

import base64
import re
import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent
from launch.models import LaunchAttempt
from launch.services import misses
from tests.factories import make_contact, make_scheduled, make_visit
from tests.launch.pages import code_of, heading
from visits.models import JoinLink, Visit
from visits.services.links import ensure_link, token_of
from visits.services.scheduling import ScheduledPerson, end_visit, schedule_visit

PREVIEWS = ["WhatsApp/2.23", "TelegramBot (like TwitterBot)", "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0"]
UNKNOWN = "/j/AAAAAAAAAAAAAAAAAAAAAA"
TRIES = 15
WITHIN_SECONDS = 0.020


def rows():
    return (LaunchAttempt.objects.count(), AuditEvent.objects.count(), list(JoinLink.objects.values()))


def test_looking_a_hundred_times_changes_nothing_and_discloses_nothing(client, visit, address, graph):
    before = rows()
    for number in range(100):
        agent = {"user-agent": PREVIEWS[number % len(PREVIEWS)]}
        page = client.get(address, secure=True, headers=agent)
        assert page.status_code == 200
        assert client.head(address, secure=True, headers=agent).content == b""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
    assert not re.search(r"\d:\d\d|teams|555.?0177|482200417|America/|\bTime\b", text, re.IGNORECASE)
    assert visit.reference not in text
    assert rows() == before
    assert graph.calls.total() == 0
    assert client.post(address, secure=True).url == "/visit/check"


def test_the_page_names_the_organization_and_whom_to_call(client, address):
    page = client.get(address, secure=True)
    assert heading(page) == "Your video visit with Lamna Healthcare"
    assert 'href="tel:6085550110"' in page.content.decode()


def test_the_page_is_not_kept_indexed_or_referred_to(client, address):
    page = client.get(address, secure=True)
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "same-origin"
    assert '<meta name="robots" content="noindex">' in page.content.decode()
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "http" not in page["Content-Security-Policy"]  # nothing of anybody else's


def test_the_form_needs_djangos_token_and_says_so_in_plain_words(address):
    browser = Client(enforce_csrf_checks=True)
    page = browser.post(address, secure=True)
    assert page.status_code == 403
    assert code_of(page) == "join.no_cookie"
    assert not LaunchAttempt.objects.exists()
    form = browser.get(address, secure=True).content.decode()
    token = form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    given = {"csrfmiddlewaretoken": token}
    headers = {"referer": f"https://testserver{address}"}
    assert browser.post(address, given, secure=True, headers=headers).url == "/visit/check"


def test_before_the_window_the_opening_time_is_shown_and_teams_is_not_asked(client, endpoint, graph):
    visit = make_visit(endpoint, starts_at=timezone.now() + timedelta(hours=3))
    page = client.post(f"/j/{token_of(ensure_link(make_contact(visit)))}", secure=True)
    assert page.status_code == 409
    assert heading(page) == "Your visit is not open yet"
    opens = visit.starts_at - timedelta(minutes=30)
    assert f"{opens.astimezone(ZoneInfo(visit.time_zone)):%M %p} Central Time" in page.content.decode()
    assert graph.calls.total() == 0
    assert not LaunchAttempt.objects.exists()
    assert "__Host-visit" not in client.cookies


def test_after_the_window_the_visit_is_over(client, endpoint):
    visit = make_visit(endpoint, starts_at=timezone.now() - timedelta(hours=3))
    page = client.post(f"/j/{token_of(ensure_link(make_contact(visit)))}", secure=True)
    assert page.status_code == 410
    assert code_of(page) == "join.too_late"


def test_a_cancelled_visit_says_so(client, endpoint, visit, address, graph):
    change = {"changed_at": timezone.now(), "now": timezone.now()}
    end_visit(endpoint, visit.session_id, state=Visit.State.CANCELLED, **change)
    assert client.get(address, secure=True).status_code == 200
    page = client.post(address, secure=True)
    assert page.status_code == 410
    assert code_of(page) == "join.cancelled"


def move(endpoint, visit, **values):
    values = {"starts_at": visit.starts_at + timedelta(minutes=5), "changed_at": timezone.now(), **values}
    schedule_visit(endpoint, make_scheduled(**values), now=timezone.now())


def test_a_moved_visit_says_so_and_the_new_link_works(client, endpoint, visit, address, graph):
    move(endpoint, visit)
    page = client.post(address, secure=True)
    assert page.status_code == 410
    assert code_of(page) == "join.moved"
    new = f"/j/{token_of(ensure_link(make_contact(visit)))}"
    assert new != address
    assert client.post(new, secure=True).url == "/visit/check"


@pytest.mark.parametrize("phone", ["+16085550188", ""])
def test_a_link_sent_to_a_number_that_changed_is_refused(client, endpoint, visit, address, phone):
    person = ScheduledPerson(record_number="E40021877", phone=phone)
    move(endpoint, visit, starts_at=visit.starts_at, people=(person,))
    assert code_of(client.post(address, secure=True)) == "join.replaced"


def test_a_link_of_a_visit_that_is_now_another_patients_is_unknown(client, endpoint, visit, address):
    person = ScheduledPerson(record_number="E40099999", phone="+16085550163")
    move(endpoint, visit, starts_at=visit.starts_at, people=(person,))
    assert client.get(address, secure=True).status_code == 404


def test_a_paused_endpoint_lets_nobody_in(client, endpoint, address):
    endpoint.is_paused = True
    endpoint.save()
    page = client.post(address, secure=True)
    assert page.status_code == 503
    assert code_of(page) == "endpoint.paused"
    assert "paused" not in page.content.decode()


def body(page):
    """Return a page without what differs from request to request and says nothing: reference, form token, own path."""
    text = re.sub(r"<code>[^<]+</code>", "<code></code>", page.content.decode())
    return re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", text)


@pytest.mark.django_db
def test_unknown_and_expired_links_look_the_same(client, link, address):
    JoinLink.objects.update(ended_at=timezone.now(), ending=JoinLink.Ending.EXPIRED)
    texts = ["en", "es"]
    for language in texts:
        headers = {"accept-language": language}
        pages = [
            getattr(client, method)(path, secure=True, headers=headers)
            for path in (address, UNKNOWN, "/j/x")
            for method in ("get", "post")
        ]
        assert {page.status_code for page in pages} == {404}
        assert len({body(page) for page in pages}) == 1
        assert {code_of(page) for page in pages} == {"join.unknown"}
        assert "Lamna" not in pages[0].content.decode()


@pytest.mark.django_db
def test_unknown_foreign_and_expired_links_take_the_same_time_and_have_the_same_length(
    client, link, address, settings, monkeypatch
):
    monkeypatch.setattr(misses, "MOST_IN_A_MINUTE", 1000)
    settings.INDEX_KEY, ours = base64.b64encode(b"the key of another hospital: 32b").decode(), settings.INDEX_KEY
    foreign = f"/j/{token_of(link)}"  # a good link of another installation
    settings.INDEX_KEY = ours
    JoinLink.objects.update(ended_at=timezone.now(), ending=JoinLink.Ending.EXPIRED)
    kinds = {"unknown": UNKNOWN, "foreign": foreign, "expired": address}
    seconds = {kind: [] for kind in kinds}
    seen = set()
    for _ in range(TRIES):
        for kind, url in kinds.items():  # in turn, so that a busy moment of the machine meets all of them
            began = time.perf_counter()
            page = client.get(url, secure=True)
            seconds[kind].append(time.perf_counter() - began)
            seen.add((page.status_code, len(page.content)))
    assert len(seen) == 1
    fastest = {kind: min(values) for kind, values in seconds.items()}  # what else runs here makes others slower
    assert max(fastest.values()) - min(fastest.values()) < WITHIN_SECONDS, fastest


@pytest.mark.django_db
def test_the_twenty_first_miss_in_a_minute_is_one_too_many(client, address, link):
    for _ in range(misses.MOST_IN_A_MINUTE):
        assert client.get(UNKNOWN, secure=True).status_code == 404
    page = client.get(UNKNOWN, secure=True)
    assert page.status_code == 429
    assert code_of(page) == "join.too_many"
    audited = AuditEvent.objects.count()
    assert client.get(UNKNOWN, secure=True).status_code == 429
    assert client.post(address, secure=True).status_code == 429  # nor may a lucky guess pass
    assert AuditEvent.objects.count() == audited  # a flood does not fill the trail
    assert client.post(address, secure=True, REMOTE_ADDR="192.0.2.7").url == "/visit/check"


@pytest.mark.django_db
def test_without_redis_links_are_refused(client, address, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    for path in (address, UNKNOWN):
        page = client.post(path, secure=True)
        assert page.status_code == 503
        assert code_of(page) == "join.not_counted"
    assert not LaunchAttempt.objects.exists()
