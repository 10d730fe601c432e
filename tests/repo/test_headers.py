"""Acceptance test 54: every answer forbids what browsers would allow, and a production configuration is clean."""

import asyncio
import re
import uuid

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from ehrconnector.asgi import application
from ehrconnector.stack import checks
from tests.factories import make_organization, make_staff
from tests.repo.access_table import ACCESS
from tests.repo.test_crawl import parameters, things_of

TAKEN = dict(parameters())
NOT_KEPT = r"\bno-store\b"
KEPT_BY_EPIC = {"portal:jwks": r"^public, max-age=\d+$"}  # public keys, which Epic is meant to keep
HSTS = "max-age=31536000; includeSubDomains; preload"


@pytest.fixture
def in_production(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True


@pytest.fixture
def things(db, in_production):
    return things_of(make_organization())


@pytest.fixture
def staff(things):
    client = Client()
    client.force_login(make_staff(things["organization"], *Role))
    return client


def missing(headers, *, cached=NOT_KEPT):
    """Return which of the headers are not as they must be."""
    wanted = {
        "Content-Security-Policy": is_strict(headers.get("Content-Security-Policy", "")),
        "Strict-Transport-Security": headers.get("Strict-Transport-Security") == HSTS,
        "X-Content-Type-Options": headers.get("X-Content-Type-Options") == "nosniff",
        "Referrer-Policy": headers.get("Referrer-Policy") in {"same-origin", "no-referrer"},
        "Cache-Control": re.search(cached, headers.get("Cache-Control", "")),
    }
    return [name for name, is_right in wanted.items() if not is_right]


def is_strict(policy):
    """Return whether nothing may be loaded or run but what is ours, and nobody may frame it."""
    words = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    scripts = words.get("script-src", []) + words.get("style-src", [])
    is_ours = set(scripts) <= {"'self'"}
    return is_ours and words.get("default-src") == ["'none'"] and words.get("frame-ancestors") == ["'none'"]


def faults(browser, things, method):
    """Ask for every address of the access table; return what is missing, by address."""
    found = {}
    for name in ACCESS:
        taken = {key: things.get(key, uuid.UUID(int=7)) for key in TAKEN[name]}
        answer = getattr(browser, method)(reverse(name, kwargs=taken), secure=True)
        cached = KEPT_BY_EPIC.get(name, NOT_KEPT) if answer.status_code == 200 else NOT_KEPT
        if lacking := missing(answer.headers, cached=cached):
            found[name] = (answer.status_code, lacking)
    return found


def test_every_answer_to_staff_carries_them(things, staff):
    assert faults(staff, things, "get") == {}


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_answer_to_a_stranger_carries_them(things, method):
    assert faults(Client(), things, method) == {}


def test_every_page_of_django_admin_carries_them(things):
    client = Client()
    client.force_login(User.objects.create_superuser("operator", password="a long enough password"))
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
    ]
    for address in [reverse("admin:index"), reverse("admin:password_change"), *lists]:
        assert missing(client.get(address, secure=True).headers) == [], address
    assert missing(Client().get(reverse("admin:login"), secure=True, follow=True).headers) == []


def fail():
    raise RuntimeError("nothing that a browser should see")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500])
def test_an_answer_that_refuses_carries_them_too(things, monkeypatch, status):
    monkeypatch.setattr("core.views.readiness", fail)
    browser = Client(raise_request_exception=False)
    answer = {
        400: lambda: browser.get("/healthz", secure=True, headers={"Host": "evil.example.org"}),
        403: lambda: Client(enforce_csrf_checks=True).post(reverse("account_logout"), secure=True),
        404: lambda: browser.get("/nowhere", secure=True),
        405: lambda: browser.post("/healthz", secure=True),
        500: lambda: browser.get("/readyz", secure=True),
    }[status]()
    assert answer.status_code == status
    assert missing(answer.headers) == []
    assert "nothing that a browser should see" not in answer.content.decode()


def test_a_static_file_is_what_it_says_it_is(things, settings):
    settings.WHITENOISE_USE_FINDERS = True
    answer = Client().get("/static/core/css/tokens.css", secure=True)
    assert b"".join(answer.streaming_content)
    answer.close()
    assert answer.status_code == 200
    assert missing(answer.headers, cached="") == ["Content-Security-Policy"]  # a style sheet loads nothing itself


@pytest.mark.django_db(transaction=True)
def test_the_live_status_carries_them_beside_django(in_production):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "GET", "path": reverse("launch:status_stream"), "headers": [], "query_string": b"",
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    headers = {name.decode().title(): value.decode() for name, value in sent[0]["headers"]}
    assert missing(headers) == []


def test_a_production_configuration_passes_every_check_of_django(capsys, monkeypatch):
    deployment = [check for check in checks.CHECKS if "--deploy" in check[2]]
    assert [arguments for _, _, arguments in deployment] == [("check", "--deploy", "--fail-level", "WARNING")]
    monkeypatch.setattr(checks, "CHECKS", deployment)
    assert checks.main() == 0, capsys.readouterr().out
