import pytest
import requests

from tests.contract.page import choose

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def form(twin):
    """Send a form, and say where the browser is led."""

    def send(path: str, **fields: str) -> requests.Response:
        return twin.http.post(f"{twin.url}/{path}", data=fields, timeout=30, allow_redirects=False)

    return send


@pytest.fixture
def csn(epic) -> str:
    """A visit of today."""
    visit: str = epic.twin.schedule()["csn"]
    return visit


def row(twin, csn: str, page: str = "schedule/?part=rows") -> str:
    text = twin.http.get(f"{twin.url}/{page}", timeout=10).text
    return text.split(f'data-part="visit-{csn}"')[1].split("data-part")[0]


def test_a_visit_is_booked_in_central_time(twin, engine, form):
    after = twin.last()
    fields = {"patient": "nguyen", "provider": "halvorsen", "environment": "test", "starts_at": "2027-01-04T09:30"}
    assert form("schedule/book", **fields).headers["Location"] == "/schedule/"
    (sent,) = (entry for entry in twin.entries("hl7", "sent") if entry["id"] > after)
    assert "|^^^20270104093000|" in sent["data"]["message"]


@pytest.mark.parametrize("changes", [{"patient": "nobody"}, {"environment": "moon"}, {"starts_at": "soon"}])
def test_a_booking_that_cannot_be_made_is_explained(form, changes):
    good = {"patient": "rivera", "provider": "okafor", "environment": "test", "starts_at": "2027-01-04T09:30"}
    answer = form("schedule/book", **{**good, **changes})
    assert answer.status_code == 409
    assert "The sandbox did not do that" in answer.text


def test_the_schedule_shows_state_acknowledgement_and_acts(twin, engine, form, csn):
    shown = row(twin, csn)
    assert "TEST" in shown
    assert "S12 AA" in shown
    assert f"/launch/{csn}/provider" in shown
    form(f"schedule/{csn}/cancel")
    shown = row(twin, csn)
    assert "Cancelled" in shown
    assert "S15 AA" in shown
    assert "/launch/" not in shown
    assert form(f"schedule/{csn}/move").status_code == 409


def test_a_message_without_an_answer_says_so(twin, csn):
    assert "S12 not acknowledged" in row(twin, csn)


@pytest.mark.parametrize("audience", ["provider", "patient", "proxy"])
def test_a_visit_is_begun_with_a_launch(twin, form, csn, audience):
    answer = form(f"launch/{csn}/{audience}")
    assert answer.headers["Location"].startswith("http://localhost:8000/launch/")
    assert "&launch=" in answer.headers["Location"]


def test_mychart_shows_a_patients_own_visits(twin, csn):
    assert "Join as a relative" in row(twin, csn, "mychart/?patient=rivera&part=rows")
    other = twin.http.get(f"{twin.url}/mychart/?patient=nguyen", timeout=10).text
    assert f"visit-{csn}" not in other


def test_faults_are_switched_on_and_off_on_their_page(twin, form):
    form("faults/", **{"acs.http": "throttle", "hl7.ack": ""})
    page = twin.http.get(f"{twin.url}/faults/", timeout=10).text
    assert "1 switched on" in page
    assert '<option value="throttle" selected>' in page
    assert "1 fault is switched on" in twin.http.get(f"{twin.url}/", timeout=10).text
    form("faults/")
    assert "All off" in twin.http.get(f"{twin.url}/faults/", timeout=10).text


def test_an_epic_analyst_signs_in_on_the_page(twin, epic):
    request = epic.request(scope="openid fhirUser profile", launch=None)
    with requests.Session() as browser:
        page = browser.get(f"{epic.oauth}/authorize", params=request, timeout=10)
        assert "TEST" in page.text
        assert "code=" in choose(browser, page, "okafor").headers["Location"]


def test_what_a_page_shows_of_a_request_is_escaped(epic):
    page = epic.authorize(method="GET", scope="openid", launch=None, state='"><b>bold</b>').text
    assert "<b>bold</b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
