"""Faults act at once, stop at once, and leave what was done as it was."""

import pytest
import requests

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def put(sandbox):
    def send(faults: dict[str, str]) -> None:
        requests.put(f"{sandbox.url}/control/faults", json=faults, timeout=10).raise_for_status()

    yield send
    send({})


def test_a_fault_acts_at_once_and_stops_at_once(sandbox, put):
    address = f"{sandbox.url}/entra/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token"
    put({"entra.token": "error"})
    assert requests.post(address, data={}, timeout=10).status_code == 503
    put({})
    assert requests.post(address, data={}, timeout=10).status_code == 400


def test_a_status_answered_late_was_taken_all_the_same(epic, put):
    visit = epic.twin.schedule()
    put({"epic.connection_status": "late"})
    parameters = {
        "ConferenceID": visit["conference_id"],
        "ExternalID": "AOKAFOR",
        "ExternalIDType": "2",
        "VendorName": "Connector",
        "ConnectionStatus": "1",
    }
    path = "/epic/test/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"
    headers = {"Authorization": f"Bearer {epic.backend_token()}"}
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{epic.twin.url}{path}", params=parameters, headers=headers, timeout=2)
    (taken,) = epic.twin.ledger(system="epic", kind="connection_status", key=visit["conference_id"])
    assert taken["data"]["http_status"] == 200
