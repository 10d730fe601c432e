"""The rail: which pages are offered to whom, and which one is marked."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path

from core import navigation
from core.navigation import NavItem, links_for, register


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("portal/", _page, name="t-setup"),
    path("portal/visits/", _page, name="t-visits"),
    path("portal/audit/", _page, name="t-audit"),
]


@pytest.fixture(autouse=True)
def _own_rail(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(navigation, "_items", {})
    register(NavItem(label="Audit", url_name="t-audit", order=50, roles=frozenset({"admin"})))
    register(NavItem(label="Visits", url_name="t-visits", order=20, roles=frozenset({"support", "admin"})))
    register(NavItem(label="Setup", url_name="t-setup", order=10))
    register(NavItem(label="Reports", url_name="t-not-built-yet", order=40))
    with override_settings(ROOT_URLCONF=__name__):
        yield


def labels(address: str = "/", **attributes: Any) -> list[str]:
    return [link.label for link in links_for(a_request(address, **attributes))]


def a_request(address: str = "/", **attributes: Any) -> HttpRequest:
    request = RequestFactory().get(address)
    for name, value in attributes.items():
        setattr(request, name, value)
    return request


def a_person(*, superuser: bool = False, roles: tuple[str, ...] = (), signed_in: bool = True) -> SimpleNamespace:
    return SimpleNamespace(is_authenticated=signed_in, is_superuser=superuser, roles=list(roles))


def test_pages_come_in_their_order_and_unwired_ones_stay_hidden():
    assert labels(user=a_person(roles=("admin",))) == ["Setup", "Visits", "Audit"]


def test_a_role_sees_only_its_pages():
    assert labels(user=a_person(roles=("support",))) == ["Setup", "Visits"]


def test_roles_in_the_current_organization_come_before_those_of_the_sign_in():
    assert labels(user=a_person(roles=("admin",)), roles=frozenset({"support"})) == ["Setup", "Visits"]
    assert labels(user=a_person(roles=("admin",)), roles=frozenset()) == ["Setup"]


def test_a_superuser_sees_every_page():
    assert labels(user=a_person(superuser=True)) == ["Setup", "Visits", "Audit"]


def test_without_a_person_only_pages_for_everybody_are_shown():
    assert labels() == ["Setup"]
    assert labels(user=a_person(superuser=True, signed_in=False)) == ["Setup"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/portal/", ["Setup"]),
        ("/portal/keys/", ["Setup"]),
        ("/portal/visits/", ["Visits"]),
        ("/portal/visits/482200417/", ["Visits"]),
        ("/elsewhere/", []),
    ],
)
def test_the_deepest_page_above_the_address_is_marked(address, expected):
    links = links_for(a_request(address, user=a_person(superuser=True)))
    assert [link.label for link in links if link.is_current] == expected


def test_registering_an_address_again_replaces_its_item():
    register(NavItem(label="Set up", url_name="t-setup", order=10))
    assert labels() == ["Set up"]


def test_a_page_taken_off_the_rail_is_gone():
    navigation.unregister("t-setup")
    navigation.unregister("never-registered")
    assert labels() == []
