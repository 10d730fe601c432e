"""The REST API of the setup: organization, keys, invitations, pre-flight runs."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from config_portal.models import FhirEndpoint, Organization, PreflightRun, SigningKey
from config_portal.services import keys, rotation
from config_portal.services.portable import export_configuration
from core.models import AuditEvent
from tests.factories import make_endpoint
from tests.scripts import Script

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def organization(endpoint):
    Organization.objects.update(epic_contact_name="Dana Ortiz", epic_contact_email="dana.ortiz@lamna.example.org")
    return Organization.objects.get()


@pytest.fixture
def call(organization):
    return Script(organization)


# --- Organization ---------------------------------------------------------------------------------
def test_the_organization_is_changed_by_what_is_named_and_the_audit_trail_says_by_whom(call, organization):
    answer = call("PATCH", "api:organization", data={"name": "Lamna Health", "prerequisites": ["epic_version"]})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["name"], answer.json()["prerequisites"]) == ("Lamna Health", ["epic_version"])
    organization.refresh_from_db()
    assert organization.help_phone == "(608) 555-0110"
    assert AuditEvent.objects.get(action="organization.changed").actor == "api:backup"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"help_phone": "call us"}, "help_phone"),
        ({"country": "XX"}, "country"),
        ({"region": "emea"}, "region"),
        ({"forbids_self_approval": False}, "forbids_self_approval"),
        ({"production_authorized_at": "2026-01-01T00:00:00Z"}, "production_authorized_at"),
        ({"prerequisites": ["a wish"]}, "prerequisites"),
    ],
)
def test_what_the_page_refuses_or_does_not_offer_is_refused(call, organization, data, field):
    answer = call("PATCH", "api:organization", data=data)
    assert (answer.status_code, answer.json()["code"]) == (400, "api.fields")
    assert field in answer.json()["fields"]
    before = organization.help_phone, organization.forbids_self_approval
    organization.refresh_from_db()
    assert (organization.help_phone, organization.forbids_self_approval) == before


def test_the_configuration_is_the_file_that_the_command_writes(call, organization):
    answer = call("GET", "api:configuration")
    assert answer.json() == json.loads(export_configuration(organization, now=timezone.now()))
    assert "s3cret" not in answer.content.decode()


# --- Keys -----------------------------------------------------------------------------------------
def test_keys_are_listed_without_their_private_halves(call, endpoint):
    answer = call("GET", "api:keys")
    test, production = answer.json()
    assert (test["environment"], len(test["keys"]), production["keys"]) == ("test", 3, [])
    assert "PRIVATE KEY" not in answer.content.decode()
    assert {key["state"] for key in test["keys"]} == {"active"}


def test_a_rotation_goes_publish_wait_switch_withdraw(call, endpoint):
    old = keys.client_key(endpoint).key_id
    published = call("POST", "api:keys_rotate", "test").json()
    assert [key["state"] for key in published["keys"]].count("published") == 3
    early = call("POST", "api:keys_switch", "test")
    assert (early.status_code, early.json()["code"]) == (409, "keys.too_early")
    SigningKey.objects.filter(state="published").update(created_at=timezone.now() - rotation.EPIC_KEEPS)
    switched = call("POST", "api:keys_switch", "test").json()
    assert old in [key["key_id"] for key in switched["keys"] if key["state"] == "replaced"]
    withdrawn = call("POST", "api:keys_revoke", "test").json()
    assert {key["state"] for key in withdrawn["keys"]} == {"active"}
    assert set(AuditEvent.objects.filter(action__startswith="keys.").values_list("actor", flat=True)) >= {"api:backup"}


def test_an_environment_without_keys_and_one_that_is_none(call):
    missing = call("POST", "api:keys_rotate", "production")
    assert (missing.status_code, missing.json()["code"]) == (422, "keys.missing")
    assert call("POST", "api:keys_rotate", "staging").status_code == 404


# --- Sharing and withdrawing ----------------------------------------------------------------------
def test_an_affiliate_is_invited_with_a_code_that_is_answered_once(call, endpoint):
    made = call("POST", "api:invitations", endpoint.pk, data={"affiliate": "Tailspin Clinics"})
    assert made.status_code == 201
    code = made.json()["code"]
    listed = call("GET", "api:invitations", endpoint.pk)
    assert code not in listed.content.decode()
    revoked = call("POST", "api:invitation_revoke", made.json()["id"]).json()
    assert revoked["revoked_at"] is not None


def test_an_approval_is_taken_back_at_once_with_its_reason(call, endpoint):
    nothing_said = call("POST", "api:withdraw", endpoint.pk, data={})
    assert (nothing_said.status_code, list(nothing_said.json()["fields"])) == (400, ["reason"])
    answer = call("POST", "api:withdraw", endpoint.pk, data={"reason": "wrong client id"})
    assert answer.json()["approved_number"] is None
    assert FhirEndpoint.objects.get().approved_version is None
    assert AuditEvent.objects.get(action="approval.withdrawn").data["reason"] == "wrong client id"


# --- Pre-flight check -----------------------------------------------------------------------------
def test_a_run_is_begun_watched_and_never_doubled(call, endpoint):
    begun = call("POST", "api:preflights", endpoint.pk, data={})
    assert begun.status_code == 202
    run = begun.json()
    assert run["state"] in {"waiting", "running"}
    assert len(run["lines"]) > 10
    assert call("POST", "api:preflights", endpoint.pk, data={}).json()["id"] == run["id"]
    PreflightRun.objects.update(state="finished", finished_at=timezone.now(), passed=3, failed=1)
    ended = call("GET", "api:preflight", endpoint.pk, run["id"]).json()
    assert (ended["state"], ended["passed"], ended["failed"], ended["is_of_draft"]) == ("finished", 3, 1, True)
    FhirEndpoint.objects.update(provider_client_id="other")
    assert call("GET", "api:preflights", endpoint.pk).json()[0]["is_of_draft"] is False


def test_inputs_are_checked_kept_for_the_run_alone_and_never_answered(call, endpoint, settings):
    unknown = call("POST", "api:preflights", endpoint.pk, data={"inputs": {"wish": "x"}})
    assert "No check asks for wish" in unknown.json()["fields"]["inputs"][0]
    foreign = call("POST", "api:preflights", endpoint.pk, data={"inputs": {"test_link": "not a link"}})
    assert foreign.status_code == 400
    link = f"{settings.PUBLIC_URL}/launch/provider/{endpoint.launch_id}?iss={endpoint.base_url}&launch=canary"
    answer = call("POST", "api:preflights", endpoint.pk, data={"inputs": {"test_link": link}})
    assert answer.status_code == 202, answer.content
    assert "canary" not in answer.content.decode()
    assert "canary" in PreflightRun.objects.get().inputs


def test_an_expired_wait_is_not_needed_when_epic_knows_the_keys(call, endpoint):
    call("POST", "api:keys_rotate", "test")
    SigningKey.objects.filter(state="published").update(confirmed_at=timezone.now() - timedelta(minutes=1))
    assert call("POST", "api:keys_switch", "test").status_code == 200
