import time

import pytest
import requests

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def ledger(twin):
    def read(**query: object) -> requests.Response:
        return twin.http.get(f"{twin.url}/ledger.json", params=query, timeout=30)

    return read


def test_entries_are_found_by_system_kind_and_key_in_order(epic, ledger):
    last = ledger(after=2**60).json()["last"]
    visit = epic.twin.schedule()
    for audience in ("provider", "patient"):
        epic.twin.launch(visit["csn"], audience)
    found = ledger(after=last, system="epic", kind="launch_issued", key=visit["csn"]).json()
    assert [entry["data"]["audience"] for entry in found["entries"]] == ["provider", "patient"]
    first, second = found["entries"]
    assert last < first["id"] < second["id"] <= found["last"]
    assert ledger(after=second["id"], kind="launch_issued").json()["entries"] == []


def test_nothing_within_the_time_is_an_empty_answer(ledger):
    started = time.monotonic()
    assert ledger(system="epic", key="nothing of the kind", wait=0.5).json()["entries"] == []
    assert 0.5 <= time.monotonic() - started < 5


@pytest.mark.parametrize("query", [{"after": "now"}, {"wait": "long"}])
def test_a_query_that_is_not_right_is_refused(ledger, query):
    assert ledger(**query).status_code == 400


def test_the_page_shows_one_system_in_words(twin, epic, ledger):
    epic.backend_token()
    page = twin.http.get(f"{twin.url}/ledger/", params={"system": "epic"}, timeout=10).text
    assert "Token issued" in page
    assert "Sms accepted" not in page
