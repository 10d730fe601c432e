"""Acceptance tests 23, 24 and 26: every staff page with every role, an own and a foreign object."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from accounts.models import Role, User
from config_portal.models import ApiToken
from tests.factories import make_endpoint, make_organization, make_staff, make_visit
from tests.repo.access_table import ACCESS, OTHER_ANSWERS
from tests.scripts import make_token

pytestmark = pytest.mark.django_db
PORTAL = "portal: "
PEOPLE = [*Role, "anonymous", "operator"]
NOT_FOUND, FORBIDDEN, WRONG_METHOD, TO_SIGN_IN = 404, 403, 405, 302


def parameters(patterns=None, space=(), found=()):
    """Yield the name of every address with the names of what it takes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        taken = (*found, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = (*space, pattern.namespace) if pattern.namespace else space
            yield from parameters(pattern.url_patterns, inner, taken)
        elif pattern.name:
            yield ":".join((*space, pattern.name)), taken


PAGES = {name: taken for name, taken in parameters() if ACCESS.get(name, "").startswith(PORTAL)}
_VARYING = r'\b[0-9a-f]{16}\b|value="[\w-]{64}"|"X-CSRFToken": "\w+"|data-session-seconds="\d+"'
OBJECTS = {"endpoint_id", "launch_id", "visit_id", "token_id"}


@pytest.fixture
def hospitals():
    """Two organizations with the same kinds of things; what each has, by parameter."""
    return [things_of(make_organization(name=name)) for name in ("Lamna Healthcare", "Tailspin Clinics")]


def things_of(organization):
    endpoint = make_endpoint(organization, name=organization.slug)
    make_token(organization)
    return {
        "organization": organization,
        "endpoint_id": endpoint.pk,
        "launch_id": endpoint.launch_id,
        "visit_id": make_visit(endpoint).pk,
        "token_id": ApiToken.objects.get(organization=organization).pk,
        "number": 1,
        "kind": "txt",
        "environment": "test",
        "language": "en",
        "day": "2026-11-24",
    }


def address_of(name, things):
    return reverse(name, kwargs={taken: things.get(taken, uuid.UUID(int=7)) for taken in PAGES[name]})


def browser_of(person, organization):
    client = Client(raise_request_exception=True)
    if person == "operator":
        client.force_login(User.objects.create_superuser("operator", password="a long enough password"))
    elif person != "anonymous":
        client.force_login(make_staff(organization, Role(person), username=f"{person}@lamna.example.org"))
    return client


def test_there_is_something_to_crawl():
    assert len(PAGES) > 40


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_every_page_lets_in_whom_the_table_says_and_nobody_else(hospitals, person):
    mine = hospitals[0]
    client = browser_of(person, mine["organization"])
    wrong = []
    for name in PAGES:
        answer = client.get(address_of(name, mine))
        if person == "anonymous":
            is_right = answer.status_code == TO_SIGN_IN and answer.url.startswith(reverse("account_login"))
        elif person in ACCESS[name].removeprefix(PORTAL).split(", "):
            is_right = answer.status_code == OTHER_ANSWERS.get(name, code_of(answer))
        else:
            is_right = answer.status_code == FORBIDDEN
        if not is_right:
            wrong.append((name, answer.status_code))
    assert wrong == []


def code_of(answer):
    """Return what a page answers, or an address that takes forms only."""
    return WRONG_METHOD if "GET" not in answer.headers.get("Allow", "GET") else 200


def test_a_script_needs_a_token_and_another_system_its_proof(hospitals):
    """Nobody's cookie counts there, not even the operator's; nothing is found, shown or changed."""
    taken = dict(parameters())
    for person in PEOPLE:
        client = browser_of(person, hospitals[0]["organization"])
        for name, rule in ACCESS.items():
            if rule not in {"token", "signed"} or name == "metrics":
                continue
            address = reverse(name, kwargs={key: hospitals[0].get(key, uuid.UUID(int=7)) for key in taken[name]})
            code = client.get(address).status_code
            assert code == (401 if rule == "token" else WRONG_METHOD), (name, person, code)


@pytest.mark.parametrize("person", list(Role), ids=str)
def test_a_foreign_object_is_not_found_and_looks_like_one_that_never_was(hospitals, person):
    mine, foreign = hospitals
    client = browser_of(person, mine["organization"])
    nowhere = dict.fromkeys(OBJECTS, uuid.uuid4())
    wrong = []
    for name, taken in PAGES.items():
        if not OBJECTS & set(taken) or person not in ACCESS[name]:
            continue
        for method in (client.get, client.post):
            answer, other = (method(address_of(name, {**foreign, **more})) for more in ({}, nowhere))
            codes = {answer.status_code, other.status_code}
            if codes not in ({NOT_FOUND}, {WRONG_METHOD}) or body_of(answer) != body_of(other):
                wrong.append((name, method.__name__, codes))
    assert wrong == []


def body_of(answer):
    """Return the page without what differs from one request to the next."""
    return re.sub(
        r'\b[0-9a-f]{16}\b|value="[\w-]{64}"|"X-CSRFToken": "\w+"|data-session-seconds="\d+"',
        "-",
        answer.content.decode(),
    )


@pytest.mark.parametrize("rounds", [60, pytest.param(500, marks=pytest.mark.chaos)])
def test_two_organizations_in_turn_never_see_each_others_rows(hospitals, rounds):
    browsers = [
        browser_of(role, things["organization"])
        for role, things in zip((Role.ADMIN, Role.ANALYST), hospitals, strict=True)
    ]
    pages = ["portal:approvals", "portal:endpoints", "portal:setup", "visits:board", "portal:audit"]
    for turn in range(rounds):
        for client, mine, foreign in zip(browsers, hospitals, reversed(hospitals), strict=True):
            text = client.get(reverse(pages[turn % len(pages)])).content.decode()
            assert foreign["organization"].name not in text
            assert foreign["organization"].slug not in text
            assert mine["organization"].name in text
