"""The setup page of context-aware links: a draft of one endpoint, with a key that is never shown."""

import base64
import re

import pytest
from django.urls import reverse

from accounts.models import Role
from config_portal.services.connections import approved_configuration
from core.models import AuditEvent
from epic.context_link import IvPlace, KeyForm
from launch.models import ContextLink
from launch.services import linking
from tests.factories import approve, make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db
OVERVIEW = reverse("links:overview")
KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def endpoint():
    return make_endpoint(with_sms=False)


@pytest.fixture
def admin(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return client


def page_of(endpoint):
    return reverse("links:setup", args=[endpoint.pk])


def typed(**values):
    return {
        "is_enabled": "on", "parameter": "extData", "key_form": KeyForm.BASE64_32.value, "key": KEY,
        "iv": IvPlace.PREPENDED.value, "longest_age_seconds": "300", **values,
    }  # fmt: skip


def test_links_take_effect_when_they_are_approved_and_not_before(admin, endpoint):
    assert admin.post(page_of(endpoint), typed()).url == OVERVIEW
    endpoint.refresh_from_db()
    assert not approved_configuration(endpoint).part(linking.PART)
    approve(endpoint)
    assert linking.parameter_of(endpoint) == "extData"
    page = admin.get(OVERVIEW).content.decode()
    assert "On, in the draft" in page
    assert "no older than 300 s" in page


def test_the_key_is_encrypted_and_neither_shown_nor_in_the_trail(admin, endpoint):
    admin.post(page_of(endpoint), typed())
    assert ContextLink.objects.get().key == KEY
    assert KEY not in admin.get(page_of(endpoint)).content.decode()
    event = AuditEvent.objects.get(action="context_link.setup_changed")
    assert event.data["key_replaced"] is True
    assert KEY not in repr(event.data)
    assert {"what": "Parameter", "was": "data", "now": "extData"} in event.data["changes"]


def test_an_empty_key_keeps_the_one_there_is_and_saving_the_same_changes_nothing(admin, endpoint):
    admin.post(page_of(endpoint), typed())
    admin.post(page_of(endpoint), typed(key=""))
    assert ContextLink.objects.get().key == KEY
    assert AuditEvent.objects.filter(action="context_link.setup_changed").count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": ""}, "Enter the key that is typed into Epic"),
        ({"key": "c2hvcnQ="}, "does not have the length"),
        ({"key": KEY, "key_form": KeyForm.RAW_16.value}, "does not have the length"),
        ({"longest_age_seconds": "86401"}, "less than or equal to 86400"),
        ({"parameter": "ext data"}, "There is a problem"),
    ],
)
def test_what_cannot_work_is_not_stored(admin, endpoint, wrong, words):
    page = admin.post(page_of(endpoint), typed(**wrong)).content.decode()
    assert words in " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert not ContextLink.objects.exists()


def test_the_endpoint_of_another_organization_is_not_there(client, endpoint):
    client.force_login(make_staff(make_organization(name="Tailspin Clinics"), Role.ADMIN))
    assert client.get(page_of(endpoint)).status_code == 404
    assert client.post(page_of(endpoint), typed()).status_code == 404


def test_an_analyst_sees_and_does_not_change(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ANALYST))
    assert page_of(endpoint) not in client.get(OVERVIEW).content.decode()
    assert client.post(page_of(endpoint), typed()).status_code in {403, 404}
    assert not ContextLink.objects.exists()


def test_the_setup_list_leads_there(admin):
    page = admin.get(reverse("portal:setup")).content.decode()
    assert "Context-aware links" in page
    assert OVERVIEW in page
