"""Context-aware links: off unless approved, bound to the browser, used once, one error for all that is wrong."""

import json
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from launch.models import ContextLink, LaunchAttempt
from meetings.models import Meeting
from tests.factories import approve
from tests.launch.epic import fields_of, smart_of
from tests.launch.pages import code_of, heading

VECTOR = json.loads((Path(__file__).parents[1] / "epic" / "context_link_vectors.json").read_text())["vectors"][0]
IN_TIME = "2026-09-21T18:56:00Z"


@pytest.fixture
def link(endpoint, epic):
    link = ContextLink.objects.create(
        endpoint=endpoint, is_enabled=True, parameter="extData", key=VECTOR["key_setting"]
    )
    endpoint.refresh_from_db()
    approve(endpoint, smart=smart_of(epic))
    return link


@pytest.fixture(autouse=True)
def _in_time():
    with time_machine.travel(IN_TIME, tick=False):
        yield


def address(endpoint, audience="provider"):
    return f"{reverse(f'launch:{audience}_link', args=[endpoint.launch_id])}?extData={VECTOR['data']}"


def follow(endpoint, browser, audience="provider"):
    page = browser.get(address(endpoint, audience), secure=True)
    return browser.post(address(endpoint, audience), fields_of(page), secure=True)


def test_a_provider_arrives_at_the_visit_that_the_link_names(endpoint, link, client, graph):
    page = follow(endpoint, client)
    assert (page.status_code, page.url) == (303, "/launch/visit")
    attempt = LaunchAttempt.objects.get()
    assert (attempt.state, attempt.role, attempt.ehr_user_id) == ("arrived", "provider", "AOKAFOR")
    assert (attempt.visit.session_id, attempt.visit.conference_id) == ("482200417", "1853")
    assert Meeting.objects.get().visit == attempt.visit
    assert client.get("/launch/visit", secure=True).status_code == 200


def test_looking_uses_nothing_up_and_a_link_opens_once(endpoint, link, graph):
    first, second = Client(), Client()
    for _ in range(3):
        first.get(address(endpoint), secure=True)
    assert not LaunchAttempt.objects.exists()
    assert follow(endpoint, first).status_code == 303
    assert code_of(follow(endpoint, second)) == "launch.link_unreadable"
    assert LaunchAttempt.objects.count() == 1


def test_without_the_cookie_a_new_window_is_offered_and_the_link_stays_good(endpoint, link, client, graph):
    page = client.get(address(endpoint), secure=True)
    client.cookies.clear()
    blocked = client.post(address(endpoint), fields_of(page), secure=True)
    assert heading(blocked) == "Open your visit in a new window"
    assert "extData=" in blocked.content.decode()
    assert follow(endpoint, Client()).status_code == 303


@pytest.mark.parametrize("moment", ["2026-09-21T19:00:01Z", "2026-09-21T18:53:59Z"])
def test_a_link_of_another_time_is_unreadable(endpoint, link, client, moment):
    with time_machine.travel(moment, tick=False):
        assert code_of(follow(endpoint, client)) == "launch.link_unreadable"


def test_a_providers_link_does_not_open_the_patients_way(endpoint, link, client):
    assert code_of(follow(endpoint, client, "patient")) == "launch.link_unreadable"


def test_links_are_off_until_they_are_approved(endpoint, client):
    ContextLink.objects.create(endpoint=endpoint, is_enabled=True, key=VECTOR["key_setting"])
    page = client.get(address(endpoint), secure=True)
    assert (page.status_code, code_of(page)) == (404, "launch.unknown_record")


def test_the_key_acts_at_once_and_is_not_readable_in_the_database(endpoint, link, client):
    link.key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    link.save()
    assert code_of(follow(endpoint, client)) == "launch.link_unreadable"
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM launch_contextlink")
        assert link.key.encode() not in bytes(cursor.fetchone()[0])
