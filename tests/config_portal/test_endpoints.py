"""FHIR base URLs: looked at before they are saved, shared by invitation, drafts until approved."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal.models import BaseUrlInvitation, FhirEndpoint, Organization
from config_portal.services.connections import approved_configuration
from config_portal.services.sharing import invite_affiliate
from core.models import AuditEvent
from tests.config_portal.epic import FHIR, answer_as_epic
from tests.epic.peer import Peer
from tests.factories import make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
ADD = reverse("portal:endpoint_add")


@pytest.fixture
def epic():
    server = Peer()
    answer_as_epic(server)
    yield server
    server.close()


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def admin(client, organization):
    client.force_login(make_staff(organization, Role.ADMIN))
    return client


def typed(base_url, **values):
    return {
        "environment": "test",
        "base_url": base_url,
        "name": "lamna-test",
        "provider_client_id": "provider-app",
        "patient_client_id": "patient-app",
        "backend_client_id": "backend-app",
        "assertion_algorithm": "RS384",
        "authorize_method": "POST",
        "approver_username": "Dana.Ortiz@lamna.example.org",
        "time_zone": "America/Chicago",
        "visit_types": "VV30\nVGRP60, VV30",
        "departments": "",
        "join_opens_minutes": "30",
        "join_closes_minutes": "120",
        "frame_ancestors": "https://mychart.example.org/",
        **values,
    }


def test_what_was_found_is_kept_with_the_draft(admin, epic):
    answer = admin.post(ADD, typed(f"{epic.url}{FHIR}/"))
    endpoint = FhirEndpoint.objects.get()
    assert answer.url == reverse("portal:endpoint", args=[endpoint.pk])
    assert endpoint.base_url == f"{epic.url}{FHIR}"
    assert endpoint.discovered["server"]["organization"] == "Lamna Healthcare"
    assert endpoint.visit_types == ["VV30", "VGRP60"]
    assert endpoint.frame_ancestors == ["https://mychart.example.org"]
    assert endpoint.approver_username == "dana.ortiz@lamna.example.org"
    assert endpoint.approved_version is None
    assert AuditEvent.objects.get(action="endpoint.added").subject_id == str(endpoint.pk)


def test_looking_shows_what_is_there_and_saves_nothing(admin, epic):
    page = admin.post(reverse("portal:endpoint_preview"), {"base_url": f"{epic.url}{FHIR}"}).content.decode()
    assert "Epic May 2026" in page
    assert "4.0.1" in page
    assert f"{epic.url}/oauth2/token" in page
    assert not FhirEndpoint.objects.exists()


def test_without_a_script_the_button_looks_too(admin, epic):
    page = admin.post(ADD, {**typed(f"{epic.url}{FHIR}"), "look": "1"}).content.decode()
    assert "Epic May 2026" in page
    assert not FhirEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("fhir.example.org", "starts with https://"),
        ("https://user:secret@fhir.example.org/api/FHIR/R4", "starts with https://"),
        ("https://fhir.example.org/interconnect", "must end in /api/FHIR"),
        ("https://fhir.example.org/api/FHIR", "The FHIR version is missing"),
        ("https://127.0.0.1/api/FHIR/R4x", "must end in /api/FHIR"),
    ],
)
def test_an_address_of_the_wrong_form_is_explained_and_never_called(admin, epic, address, words):
    page = admin.post(ADD, typed(address)).content.decode()
    assert words in page
    assert not FhirEndpoint.objects.exists()
    assert epic.received == []


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[::1]:8443", "0x7f.1", "2130706433", "localhost:1"])
def test_an_address_inside_is_refused_whatever_was_ticked(admin, settings, host):
    settings.OUTBOUND_ALLOWED_NETWORKS, settings.OUTBOUND_ALLOW_HTTP = [], False
    page = admin.post(ADD, typed(f"https://{host}/api/FHIR/R4", save_anyway="on")).content.decode()
    assert "not public" in page
    assert not FhirEndpoint.objects.exists()


def test_a_redirect_to_a_metadata_service_is_not_followed(admin, epic):
    epic.replace(f"{FHIR}/metadata", b"", status=302)
    epic.replace(f"{FHIR}/.well-known/smart-configuration", b"", status=302)
    page = admin.post(ADD, typed(f"{epic.url}{FHIR}")).content.decode()
    assert "Not everything could be verified" in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<CapabilityStatement/>", "not JSON, such as XML"),
        (b"[]", "not JSON"),
        (b"x" * 5_000_000, "more than 1 MB"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "1.0.2"}, "the server speaks FHIR 1.0.2"),
    ],
)
def test_metadata_that_cannot_be_used_is_explained(admin, epic, body, words):
    epic.replace(f"{FHIR}/metadata", body)
    page = admin.post(reverse("portal:endpoint_preview"), {"base_url": f"{epic.url}{FHIR}"}).content.decode()
    assert words in page


def test_another_issuer_is_named_beside_the_one_expected(admin, epic):
    epic.replace("/oauth2/.well-known/openid-configuration", {"issuer": "https://elsewhere.example.org/oauth2"})
    page = admin.post(reverse("portal:endpoint_preview"), {"base_url": f"{epic.url}{FHIR}"}).content.decode()
    assert f"{epic.url}/oauth2" in page
    assert "https://elsewhere.example.org/oauth2" in page


def test_what_could_not_be_verified_is_saved_only_when_that_is_ticked(admin, epic):
    epic.replace("/oauth2/token", b"", status=404)
    page = admin.post(ADD, typed(f"{epic.url}{FHIR}"))
    assert "tick this box" in page.content.decode()
    assert not FhirEndpoint.objects.exists()
    assert admin.post(ADD, typed(f"{epic.url}{FHIR}", save_anyway="on")).status_code == 302


def test_saving_twice_adds_one(admin, epic):
    admin.post(ADD, typed(f"{epic.url}{FHIR}"))
    page = admin.post(ADD, typed(f"{epic.url}{FHIR}", name="lamna-again")).content.decode()
    assert "on your list already, as lamna-test" in page
    assert FhirEndpoint.objects.count() == 1


def test_nothing_but_the_fields_of_the_form_is_taken(admin, epic):
    other = make_organization(name="Tailspin Clinics")
    extra = {"organization": str(other.pk), "approved_version": str(uuid.uuid4()), "is_paused": "on", "role": "admin"}
    admin.post(ADD, typed(f"{epic.url}{FHIR}", **extra))
    endpoint = FhirEndpoint.objects.get()
    assert endpoint.organization.name == "Lamna Healthcare"
    assert (endpoint.approved_version, endpoint.is_paused) == (None, False)


def test_production_needs_its_authorization(admin, organization, epic):
    Organization.objects.filter(pk=organization.pk).update(production_authorized_at=None)
    page = admin.post(ADD, typed(f"{epic.url}{FHIR}", environment="production")).content.decode()
    assert "not authorized for production yet" in page


def test_a_change_is_a_draft_and_what_runs_stays(admin, organization):
    endpoint = make_endpoint(organization)
    endpoint.discovered = {"server": {"software": "Epic"}}
    endpoint.save()
    url = reverse("portal:endpoint_edit", args=[endpoint.pk])
    answer = admin.post(url, typed(endpoint.base_url, name=endpoint.name, provider_client_id="changed"))
    assert answer.status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.provider_client_id == "changed"
    assert approved_configuration(endpoint).client_id("provider") == "provider-app"
    changes = AuditEvent.objects.get(action="endpoint.changed").data
    assert changes["provider_client_id"] == {"was": "provider-app", "now": "changed"}


def test_one_client_id_in_two_fields_is_refused(admin, epic):
    page = admin.post(ADD, typed(f"{epic.url}{FHIR}", patient_client_id="provider-app")).content.decode()
    assert "client id of the Provider app too" in page


@pytest.mark.parametrize("name", ["portal:endpoint", "portal:endpoint_edit", "portal:preflight"])
def test_what_belongs_to_others_is_not_there(admin, name):
    foreign = make_endpoint(make_organization(name="Tailspin Clinics"))
    theirs = admin.get(reverse(name, args=[foreign.pk]))
    nobodys = admin.get(reverse(name, args=[uuid.uuid4()]))
    assert theirs.status_code == nobodys.status_code == 404


def test_an_analyst_reads_and_does_not_write(client, organization):
    endpoint = make_endpoint(organization)
    client.force_login(make_staff(organization, Role.ANALYST))
    assert client.get(reverse("portal:endpoint", args=[endpoint.pk])).status_code == 200
    assert client.get(ADD).status_code == 403
    assert client.post(reverse("portal:endpoint_edit", args=[endpoint.pk]), {}).status_code == 403


def test_the_list_needs_the_same_queries_for_any_number(admin, organization):
    make_endpoint(organization)
    url = reverse("portal:endpoints")
    admin.get(url)
    with CaptureQueriesContext(connection) as one:
        admin.get(url)
    for number in range(9):
        make_endpoint(organization, base_url=f"https://fhir{number}.example.org/api/FHIR/R4")
    with CaptureQueriesContext(connection) as many:
        admin.get(url)
    assert len(many) == len(one)


class TestSharing:
    """Affiliates use one address by invitation."""

    @pytest.fixture
    def theirs(self, epic):
        owner = make_organization(name="Tailspin Clinics")
        return make_endpoint(owner, base_url=f"{epic.url}{FHIR}")

    def invite(self, endpoint):
        return invite_affiliate(endpoint, affiliate="Lamna", actor="kim", now=timezone.now())[1]

    def test_an_address_of_others_needs_an_invitation_and_names_nobody(self, admin, theirs):
        page = admin.post(ADD, typed(theirs.base_url)).content.decode()
        assert "Another organization here uses this address" in page
        assert "Tailspin" not in page

    def test_a_code_lets_one_affiliate_in_once(self, admin, organization, theirs):
        code = self.invite(theirs)
        assert admin.post(ADD, typed(theirs.base_url, code=code)).status_code == 302
        assert BaseUrlInvitation.objects.get().accepted_by == organization
        assert AuditEvent.objects.filter(action="base_url.shared").count() == 2
        FhirEndpoint.objects.filter(organization=organization).delete()
        assert "cannot be used" in admin.post(ADD, typed(theirs.base_url, code=code)).content.decode()

    def test_a_code_that_was_taken_back_or_is_too_old_opens_nothing(self, admin, theirs):
        for change in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}):
            code = self.invite(theirs)
            BaseUrlInvitation.objects.update(**change)
            assert "cannot be used" in admin.post(ADD, typed(theirs.base_url, code=code)).content.decode()
            BaseUrlInvitation.objects.all().delete()

    def test_a_code_is_shown_once_and_kept_as_an_index_only(self, admin, organization):
        endpoint = make_endpoint(organization)
        page = admin.post(reverse("portal:endpoint_invite", args=[endpoint.pk]), {"affiliate": "Tailspin"})
        assert "Give this code to your affiliate" in page.content.decode()
        again = admin.get(reverse("portal:endpoint", args=[endpoint.pk])).content.decode()
        assert "Tailspin" in again
        assert "Give this code" not in again

    def test_taking_back_twice_is_one_event(self, admin, organization):
        invitation, _ = invite_affiliate(make_endpoint(organization), affiliate="T", actor="k", now=timezone.now())
        url = reverse("portal:invitation_revoke", args=[invitation.pk])
        admin.post(url)
        admin.post(url)
        assert AuditEvent.objects.filter(action="base_url.invitation_revoked").count() == 1
