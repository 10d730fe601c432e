"""Acceptance tests 27 and 29: no edit, by whatever way, reaches what runs before it is approved."""

import copy

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Role
from config_portal.models import FhirEndpoint, Organization, TeamsTenant
from config_portal.services.connections import approved_configuration, epic_connection
from config_portal.services.drafts import draft_of
from core.errors import ConfigurationError
from epic.connection import Audience
from sms.models import SmsConfiguration
from tests.config_portal.approving import fresh
from tests.factories import make_endpoint, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_endpoint(approver_username="dana.ortiz@lamna.example.org", departments=["LMFM"])


EDITS = [
    (FhirEndpoint, "base_url", "https://elsewhere.example.org/api/FHIR/R4"),
    (FhirEndpoint, "provider_client_id", "other"),
    (FhirEndpoint, "patient_client_id", "other"),
    (FhirEndpoint, "backend_client_id", "other"),
    (FhirEndpoint, "assertion_algorithm", "ES384"),
    (FhirEndpoint, "authorize_method", "GET"),
    (FhirEndpoint, "time_zone", "America/Denver"),
    (FhirEndpoint, "visit_types", ["OTHER"]),
    (FhirEndpoint, "departments", []),
    (FhirEndpoint, "frame_ancestors", ["https://evil.example.org"]),
    (FhirEndpoint, "connection_status", {"vendor_name": "Other"}),
    (FhirEndpoint, "join_opens_minutes", 5),
    (FhirEndpoint, "join_closes_minutes", 5),
    (FhirEndpoint, "approver_username", "robin.lee@lamna.example.org"),
    (Organization, "name", "Other"),
    (Organization, "country", "CA"),
    (Organization, "time_zone", "America/Denver"),
    (Organization, "help_phone", "(608) 555-0199"),
    (TeamsTenant, "tenant_id", "99999999-2222-4333-8444-555555555555"),
    (TeamsTenant, "client_id", "99999999-2222-4333-8444-555555555555"),
    (TeamsTenant, "organizer_object_id", "99999999-2222-4333-8444-555555555555"),
    (SmsConfiguration, "number", None),
    (SmsConfiguration, "confirms_scheduled", False),
    (SmsConfiguration, "reminder_minutes", [5]),
]


@pytest.mark.parametrize(
    ("model", "field", "value"), EDITS, ids=lambda part: getattr(part, "__name__", None) or str(part)[:24]
)
def test_an_edit_leaves_what_runs_alone_and_shows_as_not_approved(client, endpoint, model, field, value):
    running = copy.deepcopy(approved_configuration(endpoint).snapshot)
    before = epic_connection(endpoint, Audience.PROVIDER)
    model.objects.update(**{field: value})
    now = fresh(endpoint)
    assert approved_configuration(now).snapshot == running
    assert epic_connection(now, Audience.PROVIDER) == before
    assert not draft_of(now).is_approved
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    assert "Changes not approved" in client.get(reverse("portal:approvals")).content.decode()


def test_every_value_of_the_endpoint_that_a_snapshot_has_was_tried(endpoint):
    tried = {field for model, field, _ in EDITS if model is FhirEndpoint}
    fixed = {"environment", "launch_id", "approver_object_id", "approver_tenant_id"}
    assert set(endpoint.approved_version.snapshot["endpoint"]) - tried - fixed == set()


def test_an_approved_version_that_was_altered_by_sql_does_not_run(endpoint):
    altered = "jsonb_set(snapshot, '{endpoint,base_url}', '\"https://evil.example.org\"')"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE config_portal_configurationversion SET snapshot = {altered}")  # noqa: S608 - a constant
    with pytest.raises(ConfigurationError, match=r"endpoint\.approval_altered"):
        approved_configuration(fresh(endpoint))


def test_fields_that_no_form_has_are_ignored(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    sent = {
        "base_url": endpoint.base_url, "name": "renamed", "approver_username": endpoint.approver_username,
        "time_zone": endpoint.time_zone, "join_opens_minutes": 30, "join_closes_minutes": 120,
        "assertion_algorithm": "RS384", "authorize_method": "POST", "save_anyway": "on",
        "organization": "x", "approved": "yes", "approved_version": "x", "role": "admin", "is_paused": "on",
        "launch_id": "00000000-0000-0000-0000-000000000000", "environment": "production",
    }  # fmt: skip
    client.post(reverse("portal:endpoint_edit", args=[endpoint.pk]), sent)
    now = FhirEndpoint.objects.get()
    assert now.name == "renamed"
    kept = ("organization_id", "approved_version_id", "is_paused", "launch_id", "environment")
    assert [getattr(now, name) for name in kept] == [getattr(endpoint, name) for name in kept]
