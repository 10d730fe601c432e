import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

pytestmark = pytest.mark.xdist_group("sandbox")

PATH = "/epic/test/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"


@pytest.fixture
def tell(epic):
    """Tell Epic that somebody is connected to a visit."""

    def send(visit: dict, *, method: str = "GET", headers: dict | None = None, **changes: str) -> requests.Response:
        parameters = {
            "ConferenceID": visit["conference_id"],
            "ExternalID": "AOKAFOR",
            "ExternalIDType": "2",
            "VendorName": "EHR connector",
            "ConnectionStatus": "1",
            **changes,
        }
        given = headers if headers is not None else {"Authorization": f"Bearer {epic.backend_token()}"}
        return requests.request(method, f"{epic.twin.url}{PATH}", params=parameters, headers=given, timeout=10)

    return send


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_every_method_that_sites_use_is_taken(epic, tell, method):
    assert tell(epic.twin.schedule(), method=method).status_code == 200


def test_the_form_without_oauth_needs_the_client_named(epic, tell):
    visit = epic.twin.schedule()
    authorization = {"Authorization": basic("emp$CONNECTOR", "a password")}
    named = {**authorization, "Epic-Client-ID": epic.twin.clients["backend"]}
    person = {**named, "Authorization": basic("CONNECTOR", "a password")}
    assert [tell(visit, headers=headers).status_code for headers in (named, authorization, person)] == [200, 401, 401]


def test_a_token_of_another_app_is_refused(epic, tell):
    visit, code = epic.code()
    token = epic.redeem(code).json()["access_token"]
    assert tell(visit, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert tell(visit, headers={}).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status"), [({"ExternalID": ""}, 400), ({"VendorName": ""}, 400), ({"ConferenceID": "1"}, 404)]
)
def test_what_is_incomplete_or_about_no_visit_is_refused_and_witnessed(epic, tell, changes, status):
    visit = epic.twin.schedule()
    assert tell(visit, **changes).status_code == status
    conference = changes.get("ConferenceID", visit["conference_id"])
    refused = epic.twin.ledger(system="epic", kind="connection_status_refused", key=conference)
    assert refused[-1]["data"]["http_status"] == status
    assert not epic.twin.ledger(system="epic", kind="connection_status", key=conference)


@pytest.mark.parametrize(("fault", "status"), [("error", 500), ("busy", 503)])
def test_telling_epic_can_fail(epic, twin, tell, fault, status):
    visit = epic.twin.schedule()
    twin.put_faults({"epic.connection_status": fault})
    assert tell(visit).status_code == status
    twin.put_faults()
    assert tell(visit).status_code == 200


def test_tokens_issued_before_the_fault_are_refused_and_new_ones_taken(epic, twin, tell):
    visit, old = epic.twin.schedule(), {"Authorization": f"Bearer {epic.backend_token()}"}
    assert tell(visit, headers=old).status_code == 200
    twin.put_faults({"epic.connection_status": "unauthorized"})
    assert tell(visit, headers=old).status_code == 401
    assert tell(visit).status_code == 200


def test_people_who_connect_at_the_same_time_are_all_shown(epic, tell):
    visit = epic.twin.schedule()
    token = {"Authorization": f"Bearer {epic.backend_token()}"}
    people = [f"person-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda who: tell(visit, headers=token, ExternalID=who, ExternalIDType="1"), people))
    assert {answer.status_code for answer in answers} == {200}
    page = requests.get(f"{epic.twin.url}/schedule/?part=rows", timeout=10).text
    row = page.split(f'data-part="visit-{visit["csn"]}"')[1].split("</li>")[0]
    assert row.count("Patient connected") == 8
