import uuid

import pytest
import requests
from django.http import HttpResponse
from django.test import RequestFactory

from sandbox.middleware import LoopbackOnly

pytestmark = pytest.mark.xdist_group("sandbox")


def put(sandbox, path: str, body: object) -> requests.Response:
    return requests.put(f"{sandbox.url}/control/{path}", json=body, timeout=10)


def test_setup_is_taken_over_and_what_is_not_mentioned_stays(sandbox):
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    for client_id in (first, second):
        client = {"client_id": client_id, "app": "backend", "redirect_uris": [], "jwks_url": "http://localhost/"}
        assert put(sandbox, "setup", {"epic": [{"environment": "test", "clients": [client]}]}).ok
    twilio = {"account_sid": "AC1", "auth_token": "only-for-tests"}
    stored = put(sandbox, "setup", {"twilio": twilio}).json()
    (epic,) = (environment for environment in stored["epic"] if environment["environment"] == "test")
    assert {first, second} <= {client["client_id"] for client in epic["clients"]}
    assert stored["twilio"] == twilio


@pytest.mark.parametrize(
    "body",
    [[], {"epic": [{"environment": "moon"}]}, {"epic": [{}]}, {"epic": [{"environment": "test", "clients": [{}]}]}],
)
def test_a_setup_that_cannot_be_understood_changes_nothing(sandbox, body):
    before = requests.get(f"{sandbox.url}/control/setup", timeout=10).json()
    answer = put(sandbox, "setup", body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(f"{sandbox.url}/control/setup", timeout=10).json() == before


def test_a_body_that_is_no_json_is_refused(sandbox):
    answer = requests.post(f"{sandbox.url}/control/visits", data="tomorrow", timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "the body is not JSON")


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("10.1.2.3", 403), ("", 403)])
def test_only_this_machine_is_answered(address, status):
    request = RequestFactory().get("/control/setup", REMOTE_ADDR=address)
    assert LoopbackOnly(lambda _: HttpResponse())(request).status_code == status


def test_another_name_for_this_machine_is_refused(sandbox):
    answer = requests.get(f"{sandbox.url}/healthz", headers={"Host": "twin.example.org"}, timeout=10)
    assert answer.status_code == 400
