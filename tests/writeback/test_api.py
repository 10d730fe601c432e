"""How Epic is told, through the REST API."""

import pytest

from core.models import AuditEvent
from tests.factories import make_endpoint
from tests.scripts import Script
from writeback.models import WritebackConfiguration
from writeback.services import drafts

pytestmark = pytest.mark.django_db
NAME = "writeback_api:writeback"


@pytest.fixture
def endpoint():
    return make_endpoint(with_sms=False)


@pytest.fixture
def call(endpoint):
    return Script(endpoint.organization)


def test_without_a_choice_the_defaults_are_answered(call, endpoint):
    answer = call("GET", NAME, endpoint.pk).json()
    assert (answer["means"], answer["method"], answer["most_at_once"]) == ("connection_status", "GET", 16)
    assert answer["parameters"]["external_id"] == "ExternalID"
    assert (answer["has_password"], answer["needs_approval"]) == (False, False)


def test_a_draft_is_changed_by_what_is_named_and_waits_for_approval(call, endpoint):
    data = {"method": "POST", "parameters": {"status": "State"}, "external_id_types": {"guest": "9"}}
    answer = call("PATCH", NAME, endpoint.pk, data=data)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["parameters"]["status"], answer.json()["external_id_types"]["guest"]) == ("State", "9")
    assert answer.json()["needs_approval"] is True
    endpoint.refresh_from_db()
    assert endpoint.connection_status == {
        "method": "POST", "parameters": {"status": "State"}, "external_id_types": {"guest": "9"}
    }  # fmt: skip
    assert AuditEvent.objects.get(action="writeback.setup_changed").actor == "api:backup"


def test_the_password_of_the_background_user_goes_in_and_never_comes_out(call, endpoint):
    data = {"authorization": "basic", "basic_username": "EHRCONNECT"}
    missing = call("PATCH", NAME, endpoint.pk, data=data)
    assert "password of the background user" in missing.json()["fields"]["basic_password"][0]
    answer = call("PATCH", NAME, endpoint.pk, data={**data, "basic_password": "canary-password"})
    assert answer.json()["has_password"] is True
    kept = call("PATCH", NAME, endpoint.pk, data={"most_at_once": 8})
    assert "canary-password" not in answer.content.decode() + kept.content.decode()
    assert drafts.draft_of(endpoint).basic_password == "canary-password"
    assert "canary-password" not in str(list(AuditEvent.objects.values("data")))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"most_at_once": 65}, "most_at_once"),
        ({"path": "//evil.example.org"}, "path"),
        ({"parameters": {"wish": "x"}}, "parameters"),
        ({"means": "observation"}, "presence_code"),
        ({"has_password": True}, "has_password"),
        ({"endpoint": "x"}, "endpoint"),
    ],
)
def test_what_the_page_refuses_is_refused(call, endpoint, data, field):
    answer = call("PATCH", NAME, endpoint.pk, data=data)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert not WritebackConfiguration.objects.exists()
