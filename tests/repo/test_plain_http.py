"""Acceptance tests 55 and 57: nothing that proves who asks travels or counts where others could have written it."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEvent
from hl7intake.models import InboundMessage
from meetings.models import InboundNotification
from tests.repo.access_table import ACCESS
from tests.repo.test_crawl import parameters

pytestmark = pytest.mark.django_db
TAKEN = dict(parameters())
FOR_SYSTEMS = [name for name, rule in ACCESS.items() if rule in {"signed", "token"} and name != "metrics"]


@pytest.fixture(autouse=True)
def _in_production(settings):
    settings.SECURE_SSL_REDIRECT = True


def address_of(name):
    return reverse(name, kwargs={key: 1 if key == "number" else uuid.UUID(int=7) for key in TAKEN[name]})


@pytest.mark.parametrize("name", FOR_SYSTEMS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_systems_are_refused_without_tls_and_never_redirected(name, method):
    answer = Client().generic(method, address_of(name), b"x", content_type="application/json")
    assert answer.status_code == 403
    assert "Location" not in answer.headers
    assert answer.content == b"Use https."
    assert [model.objects.count() for model in (InboundMessage, InboundNotification, AuditEvent)] == [0, 0, 0]


@pytest.mark.parametrize("name", FOR_SYSTEMS)
def test_with_tls_they_come_to_the_view_that_asks_who_they_are(name):
    answer = Client().post(address_of(name), b"x", content_type="application/json", secure=True)
    assert answer.content != b"Use https."
    assert answer.status_code < 500


@pytest.mark.parametrize("path", ["/", "/accounts/login/", f"/j/{'x' * 22}"])
def test_browsers_are_led_to_https(path):
    answer = Client().get(path)
    assert (answer.status_code, answer.url) == (301, f"https://testserver{path}")


def test_a_client_cannot_claim_tls_where_no_proxy_of_ours_says_so():
    claimed = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "Forwarded": "proto=https"}
    answer = Client().post(reverse("meetings:graph-notifications"), b"{}", content_type="text/plain", headers=claimed)
    assert answer.status_code == 403


def test_behind_our_proxy_its_word_counts(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    address = reverse("meetings:graph-notifications")
    for said, status in (("https", 202), ("http", 403), ("", 403)):
        answer = Client().post(address, b"{}", content_type="text/plain", headers={"X-Forwarded-Proto": said})
        assert answer.status_code == status


def test_a_client_cannot_choose_the_host_that_links_are_built_from():
    answer = Client().get("/accounts/login/", secure=True, headers={"X-Forwarded-Host": "evil.example.org"})
    assert "evil.example.org" not in answer.content.decode()
    assert Client().get("/healthz", secure=True, headers={"Host": "evil.example.org"}).status_code == 400
