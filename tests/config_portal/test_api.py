"""The REST API: what the portal can do, a script can do with a scoped token, and nothing more."""

import itertools
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal.models import ApiToken, FhirEndpoint
from config_portal.services.api_tokens import revoke_token
from core.models import AuditEvent
from tests.config_portal.approving import DANA, FHIR, make_unapproved, play_epic
from tests.factories import make_endpoint, make_organization, make_staff
from tests.repo.access_table import ACCESS
from tests.scripts import ALL, Script, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_endpoint(approver_username=DANA)


@pytest.fixture
def call(client, endpoint):
    """Call the API with a token of ``endpoint``'s organization that has every scope, or those named."""

    def send(method, name, *args, scopes=ALL, **more):
        return Script(endpoint.organization, scopes, client)(method, f"api:{name}", *args, **more)

    return send


# --- Tokens ---------------------------------------------------------------------------------------
def test_without_a_usable_token_nothing_is_answered(client, endpoint):
    address = reverse("api:endpoints")
    answer = client.get(address)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="EHR connector"')
    old = make_token(endpoint.organization, now=timezone.now() - timedelta(days=31))
    revoked = make_token(endpoint.organization)
    revoke_token(ApiToken.objects.order_by("created_at").last(), actor="avery", now=timezone.now())
    for secret in ("", "ehc_unknown", "x" * 5000, old, revoked):
        answer = client.get(address, headers={"Authorization": f"Bearer {secret}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "api.authentication_failed")


def test_a_signed_in_browser_is_no_script(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    assert client.get(reverse("api:endpoints")).status_code == 401


def test_the_token_itself_is_not_stored_and_its_use_is_noted(call, endpoint):
    secret = make_token(endpoint.organization)
    token = ApiToken.objects.get()
    assert secret not in str(list(ApiToken.objects.values()))
    assert secret not in str(list(AuditEvent.objects.values()))
    assert token.last_used_at is None
    call("GET", "organization", token=secret)
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_a_method_nobody_named_a_scope_for_is_refused(call, endpoint):
    assert call("DELETE", "endpoint", endpoint.pk).status_code in {403, 405}
    assert FhirEndpoint.objects.exists()


# --- Reading --------------------------------------------------------------------------------------
def test_endpoints_versions_and_records_say_what_the_portal_says(call, endpoint):
    listed = call("GET", "endpoints").json()
    assert [(e["name"], e["approved_number"], e["is_draft_approved"]) for e in listed] == [(endpoint.name, 1, True)]
    versions = call("GET", "versions", endpoint.pk).json()
    assert versions[0]["digest"] == endpoint.approved_version.digest
    assert "epic_subject" not in versions[0]
    assert call("GET", "version", endpoint.pk, 1).json()["snapshot"] == endpoint.approved_version.snapshot
    records = call("GET", "records", endpoint.pk).json()
    assert {record["kind"] for record in records["records"]} >= {"patient", "provider", "device_test"}
    compared = call("POST", "compare", endpoint.pk, data={"kind": "patient", "text": "Context: sessionId=%CSN%"}).json()
    assert not compared["is_same"]
    assert {"name", "expected", "found", "finding", "hint"} == set(compared["fields"][0])


def test_the_list_takes_the_same_queries_for_any_number(call, endpoint, django_assert_num_queries):
    secret = make_token(endpoint.organization)
    call("GET", "endpoints", token=secret)
    with django_assert_num_queries(3):
        call("GET", "endpoints", token=secret)
    for number in range(10):
        make_endpoint(endpoint.organization, name=f"more-{number}")
    with django_assert_num_queries(3):
        assert len(call("GET", "endpoints", token=secret).json()) == 11


def test_the_audit_trail_is_read_in_order_and_in_parts(call, endpoint):
    events = call("GET", "audit").json()
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert all(later["previous"] == event["digest"] for event, later in itertools.pairwise(events))
    rest = call("GET", "audit", after=events[-1]["sequence"]).json()
    assert [event["action"] for event in rest] == ["api_token.created"]


# --- Writing --------------------------------------------------------------------------------------
def test_a_draft_is_changed_and_shown_as_a_difference_and_nothing_runs_yet(call, endpoint):
    answer = call("PATCH", "endpoint", endpoint.pk, data={"visit_types": ["VV30"], "save_anyway": True})
    assert answer.status_code == 200, answer.content
    assert answer.json()["visit_types"] == ["VV30"]
    draft = call("GET", "draft", endpoint.pk).json()
    changed = next(d for d in draft["differences"] if d["key"] == "endpoint.visit_types")
    assert (changed["was"], changed["now"]) == ("VV30, VGRP60", "VV30")
    assert FhirEndpoint.objects.get().approved_version.snapshot["endpoint"]["visit_types"] == ["VV30", "VGRP60"]
    event = AuditEvent.objects.get(action="endpoint.changed")
    assert event.actor == "api:backup"


def test_one_is_added_after_a_look_at_its_address(epic, call, endpoint):
    play_epic(epic)
    data = {
        "environment": "test", "name": "second", "base_url": f"{epic.url}{FHIR}", "approver_username": DANA.upper(),
        "save_anyway": True,
    }  # fmt: skip
    answer = call("POST", "endpoints", data=data)
    assert answer.status_code == 201, answer.content
    assert answer.json()["approver_username"] == DANA
    again = call("POST", "endpoints", data=data)
    assert (again.status_code, again.json()["code"]) == (409, "endpoint.base_url_listed")


@pytest.mark.parametrize("field", ["organization", "approved_version", "is_paused", "role", "launch_id"])
def test_fields_that_are_not_ones_to_set_are_refused(call, endpoint, field):
    answer = call("PATCH", "endpoint", endpoint.pk, data={field: "x", "name": "renamed"})
    assert (answer.status_code, answer.json()["code"]) == (400, "api.fields")
    assert field in answer.json()["fields"]
    assert FhirEndpoint.objects.get().name == endpoint.name


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"base_url": "https://fhir.lamna.example.org"}, "base_url", "The end of the address is missing"),
        ({"base_url": "http://169.254.169.254/api/FHIR/R4"}, "base_url", ""),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "valid choice"),
        ({"name": "Not A Slug"}, "name", "small letters"),
    ],
)
def test_what_the_form_refuses_the_api_refuses_in_the_same_words(call, endpoint, data, field, words):
    answer = call("PATCH", "endpoint", endpoint.pk, data=data)
    assert answer.status_code == 400
    assert words in " ".join(answer.json()["fields"][field])


def test_pausing_asking_and_restoring(call, endpoint):
    assert call("POST", "pause", endpoint.pk).json()["is_paused"] is True
    assert call("POST", "resume", endpoint.pk).json()["is_paused"] is False
    FhirEndpoint.objects.update(provider_client_id="other")
    assert call("POST", "ask", endpoint.pk).status_code == 200
    assert call("POST", "restore", endpoint.pk, 1).status_code == 200
    assert FhirEndpoint.objects.get().provider_client_id == "provider-app"
    assert FhirEndpoint.objects.get().approved_version.number == 1


def test_nothing_in_the_api_approves():
    calls = [name for name, rule in ACCESS.items() if rule == "token"]
    assert len(calls) > 40
    assert not [name for name in calls if "approve" in name or "send_back" in name or "name_anew" in name]


def test_broken_json_and_another_kind_of_body_are_explained(client, endpoint):
    secret = make_token(endpoint.organization)
    for body, kind, status in (("{", "application/json", 400), ("<x/>", "application/xml", 415)):
        answer = client.generic(
            "POST", reverse("api:endpoints"), body, content_type=kind, headers={"Authorization": f"Bearer {secret}"}
        )
        assert answer.status_code == status
        assert answer.json()["request_id"]


def test_the_openapi_document_covers_every_address_without_a_warning(client, tmp_path, capsys):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
    answer = client.get(reverse("api:schema"), headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    written = (tmp_path / "openapi.yaml").read_text()
    count = sum(rule == "token" for rule in ACCESS.values())
    assert sum(line.startswith("  /api/v1/") for line in written.splitlines()) == count


# --- The page -------------------------------------------------------------------------------------
def test_a_token_is_made_shown_once_and_revoked(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    address = reverse("portal:settings")
    page = client.post(address, {"name": "nightly", "scopes": ["records:read"], "days": "90"}).content.decode()
    assert "shown this once" in page
    assert "ehc_" in page
    assert "shown this once" not in client.get(address).content.decode()
    token = ApiToken.objects.get()
    client.post(reverse("portal:revoke_token", args=[token.pk]))
    assert "Revoked" in client.get(address).content.decode()


def test_the_page_belongs_to_administrators_and_foreign_tokens_are_not_found(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ANALYST, username="dana"))
    assert client.get(reverse("portal:settings")).status_code == 403
    make_token(make_organization(name="Tailspin Clinics"))
    client.force_login(make_staff(endpoint.organization, Role.ADMIN, username="avery"))
    answer = client.post(reverse("portal:revoke_token", args=[ApiToken.objects.get().pk]))
    assert answer.status_code == 404


def test_an_empty_form_says_what_is_missing(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    page = client.post(reverse("portal:settings"), {}).content.decode()
    assert "There is a problem" in page
    assert not ApiToken.objects.exists()


def test_the_draft_of_an_epic_that_was_not_asked_yet_has_no_addresses(epic, call, endpoint):
    other = make_unapproved(epic, endpoint.organization, name="unasked")
    assert call("GET", "draft", other.pk).json()["content"]["smart"] == {}
