"""What a browser sees and brings back when somebody signs in to one of the twins."""

import uuid

import pytest
import requests

from tests.sandbox.epic_client import returned

pytestmark = pytest.mark.xdist_group("sandbox")
TENANT = "11111111-2222-4333-8444-555555555555"
AVERY, DANA = "avery.reed@lamna.example.org", "dana.ortiz@lamna.example.org"


def test_epic_says_who_answers_with_a_code_and_with_an_error(epic):
    _, launch = epic.launch()
    answers = [returned(epic.authorize(launch=launch)) for _ in range(2)]
    assert ["code" in answer for answer in answers] == [True, False]
    assert [answer["iss"] for answer in answers] == [epic.oauth] * 2  # RFC 9207


@pytest.mark.parametrize(("hint", "first"), [("", AVERY), ("Dana.Ortiz@lamna.example.org", DANA)])
def test_a_hinted_account_stands_first_and_still_takes_a_click(sandbox, hint, first):
    app = {"client_id": str(uuid.uuid4()), "client_secret": "a secret", "redirect_uris": ["http://localhost/back"]}
    setup = {"entra": {"tenant_id": TENANT, "apps": [app]}}
    requests.put(f"{sandbox.url}/control/setup", json=setup, timeout=10).raise_for_status()
    request = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": "http://localhost/back",
        "scope": "openid",
        "login_hint": hint,
    }
    address = f"{sandbox.url}/entra/{TENANT}/oauth2/v2.0/authorize"
    page = requests.get(address, params=request, allow_redirects=False, timeout=10)
    assert page.status_code == 200
    shown = sorted((AVERY, DANA), key=page.text.index)
    assert shown[0] == first
