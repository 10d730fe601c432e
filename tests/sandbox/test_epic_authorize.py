import pytest
import requests

from tests.sandbox.epic_client import returned

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_launch_brings_a_code_and_the_state_back(epic, method):
    _, launch = epic.launch()
    answer = returned(epic.authorize(method=method, launch=launch))
    assert answer["state"] == "a state"
    assert len(answer["code"]) > 8192
    assert answer["code"].count(".") == 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "http://127.0.0.1:1/epic/production/api/FHIR/R4"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"launch": "made up"}, "invalid_request"),
        ({"launch": None}, "invalid_request"),
    ],
)
def test_a_request_that_lacks_something_goes_back_with_an_error_and_no_code(epic, changes, error):
    _, launch = epic.launch()
    answer = returned(epic.authorize(**{"launch": launch, **changes}))
    assert answer["error"] == error
    assert answer["error_description"]
    assert "code" not in answer


def test_an_audience_may_end_with_a_slash(epic):
    _, launch = epic.launch()
    assert "code" in returned(epic.authorize(launch=launch, aud=f"{epic.twin.fhir_base_url}/"))


@pytest.mark.parametrize(
    "changes", [{"client_id": "nobody"}, {"redirect_uri": "https://attacker.example.org/"}], ids=["client", "redirect"]
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(epic, changes):
    _, launch = epic.launch()
    answer = epic.authorize(launch=launch, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_launch_token_is_for_the_client_of_its_record_alone(epic):
    _, launch = epic.launch("provider")
    assert returned(epic.authorize(launch=launch, client_id=epic.twin.clients["patient"]))["error"] == "invalid_request"
    # It is spent all the same.
    assert returned(epic.authorize(launch=launch))["error"] == "invalid_request"


def test_a_launch_token_is_for_its_environment_alone(epic):
    _, launch = epic.launch()
    production = f"{epic.twin.url}/epic/production/oauth2/authorize"
    assert requests.post(production, data=epic.request(launch=launch), timeout=10).status_code == 400


def test_a_sign_in_without_a_launch_asks_who_and_is_a_link_only(epic):
    scope = "openid fhirUser profile"
    page = epic.authorize(method="GET", scope=scope)
    assert page.status_code == 200
    assert "Amara Okafor" in page.text
    assert returned(epic.authorize(method="POST", scope=scope))["error"] == "invalid_request"
    code = returned(epic.authorize(method="GET", scope=scope, **{"as": "halvorsen"}))["code"]
    token = epic.redeem(code).json()
    assert "patient" not in token
    assert token["state"] == "a state"


def test_clients_that_did_not_reach_epic_yet_are_unknown(epic, twin):
    _, launch = epic.launch()
    twin.put_faults({"epic.client": "not_yet_active"})
    assert epic.authorize(launch=launch).status_code == 400
    twin.put_faults()
    assert "code" in returned(epic.authorize(launch=launch))


def test_discovery_can_be_that_of_an_older_epic_or_one_that_wants_the_client_named(epic, twin):
    smart = f"{epic.twin.fhir_base_url}/.well-known/smart-configuration"
    twin.put_faults({"epic.discovery": "no_smart_configuration"})
    assert requests.get(smart, timeout=10).status_code == 404
    assert requests.get(f"{epic.oauth}/.well-known/openid-configuration", timeout=10).json()["jwks_uri"]
    twin.put_faults({"epic.discovery": "per_client"})
    named = {"Epic-Client-ID": epic.twin.clients["provider"]}
    good, other = (requests.get(smart, headers=headers, timeout=10).json() for headers in (named, {}))
    assert good["token_endpoint"] == f"{epic.oauth}/token"
    assert requests.post(other["token_endpoint"], timeout=10).status_code == 404


def test_metadata_is_xml_unless_json_is_asked_for(epic):
    metadata = f"{epic.twin.fhir_base_url}/metadata"
    xml = requests.get(metadata, timeout=10)
    json = requests.get(metadata, headers={"Accept": "application/fhir+json"}, timeout=10)
    assert xml.headers["Content-Type"] == "application/fhir+xml"
    assert json.json()["fhirVersion"] == "4.0.1"
