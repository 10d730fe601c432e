"""The Teams tenant through the REST API: the page's checks, and no secret ever comes back."""

import pytest

from config_portal.models import TeamsTenant
from core.models import AuditEvent
from meetings.services import tenant as service
from tests.factories import make_organization
from tests.meetings.test_teams_page import APP, TOKEN, entra  # noqa: F401 - the fixture
from tests.scripts import Script

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "canary~secret~value"


@pytest.fixture
def call():
    return Script(make_organization())


def test_a_draft_is_changed_by_what_is_named(call):
    answer = call("PATCH", "teams_api:tenant", data={"client_id": APP, "meeting_chat": "disabled"})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["client_id"], answer.json()["meeting_chat"]) == (APP, "disabled")
    assert answer.json()["lobby_scope"] == "organizationExcludingGuests"
    assert any("New-CsApplicationAccessPolicy" in command for command in answer.json()["policy_commands"])
    assert AuditEvent.objects.get(action="teams.changed").actor == "api:backup"


@pytest.mark.parametrize("field", ["client_secret", "certificate_key", "tenant_id", "organization"])
def test_what_cannot_be_set_is_refused(call, field):
    answer = call("PATCH", "teams_api:tenant", data={field: "x"})
    assert (answer.status_code, field in answer.json()["fields"]) == (400, True)


def test_a_secret_is_tried_kept_and_never_answered(call, entra):  # noqa: F811
    answer = call("PUT", "teams_api:secret", data={"secret": SECRET, "expires_on": "2099-01-01"})
    assert (answer.status_code, answer.json()["has_secret"]) == (200, True)
    assert TeamsTenant.objects.get().client_secret == SECRET
    assert SECRET not in answer.content.decode() + call("GET", "teams_api:tenant").content.decode()


def test_a_secret_that_entra_refuses_or_the_page_would_is_not_kept(call, entra):  # noqa: F811
    entra.replace(TOKEN, {"error": "invalid_client", "error_description": "AADSTS7000215"}, status=401)
    refused = call("PUT", "teams_api:secret", data={"secret": SECRET, "expires_on": "2099-01-01"})
    assert (refused.status_code, refused.json()["code"]) == (422, "entra.credentials_refused")
    its_id = call("PUT", "teams_api:secret", data={"secret": APP, "expires_on": "2099-01-01"})
    assert "This is the secret's id" in its_id.json()["fields"]["secret"][0]
    assert TeamsTenant.objects.get().client_secret == "s3cret"


def test_a_certificate_is_made_registered_used_and_the_secret_removed(call, entra):  # noqa: F811
    made = call("POST", "teams_api:certificate").json()
    assert made["next_certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert made["next_thumbprint"] == service.thumbprint(made["next_certificate"])
    used = call("POST", "teams_api:certificate_use")
    assert (used.json()["thumbprint"], used.json()["next_certificate"]) == (made["next_thumbprint"], "")
    assert call("DELETE", "teams_api:secret").json()["has_secret"] is False
    assert "PRIVATE KEY" not in used.content.decode()
    again = call("POST", "teams_api:certificate_use")
    assert (again.status_code, again.json()["code"]) == (422, "teams.no_certificate")


def test_the_only_proof_stays_and_a_waiting_certificate_can_be_discarded(call):
    refused = call("DELETE", "teams_api:secret")
    assert (refused.status_code, refused.json()["code"]) == (422, "teams.secret_needed")
    call("POST", "teams_api:certificate")
    assert call("POST", "teams_api:certificate_discard").json()["next_certificate"] == ""
