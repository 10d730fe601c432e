import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.twin import ORGANIZER, PROVIDER

pytestmark = pytest.mark.xdist_group("sandbox")

MEETINGS = f"/v1.0/users/{ORGANIZER}/onlineMeetings"
LATE = {"Prefer": "include-unknown-enum-members"}


def test_create_or_get_makes_one_meeting_per_organizer_and_external_id(twin):
    external_id = uuid.uuid4().hex

    first = twin.graph("POST", f"{MEETINGS}/createOrGet", {"externalId": external_id, "subject": "Visit"})
    again = twin.graph("POST", f"{MEETINGS}/createOrGet", {"externalId": external_id, "subject": "Other"})
    other = twin.graph("POST", f"/v1.0/users/{PROVIDER}/onlineMeetings/createOrGet", {"externalId": external_id})

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]
    assert again.json()["subject"] == "Visit"
    [created, _] = twin.entries("graph", "meeting_created", key=external_id)
    assert created["data"] == {"meeting_id": first.json()["id"], "organizer": ORGANIZER}


def test_launches_at_the_same_moment_share_one_meeting(twin):
    body = {"externalId": uuid.uuid4().hex}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: twin.graph("POST", f"{MEETINGS}/createOrGet", body), range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"externalId": ""},
        {"externalId": "x", "lobbyBypassSettings": {"scope": "organizer"}},
        {"externalId": "x", "endDateTime": "2026-11-24T15:00:00Z"},
        {"externalId": "x", "startDateTime": "2026-11-24T15:00:00Z", "endDateTime": "2026-11-24T14:00:00Z"},
        {"externalId": "x", "startDateTime": "at three"},
    ],
    ids=["empty", "no external id", "an option", "end alone", "end before start", "no time"],
)
def test_create_or_get_refuses_what_graph_refuses(twin, body):
    answer = twin.graph("POST", f"{MEETINGS}/createOrGet", body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "BadRequest")
    assert error["innerError"]["request-id"] == answer.headers["request-id"]


def test_a_new_member_of_the_lobby_scope_needs_the_prefer_header(twin):
    visit = twin.new_meeting()
    options = {"lobbyBypassSettings": {"scope": "organizationExcludingGuests", "isDialInBypassEnabled": False}}

    assert twin.graph("PATCH", visit.path, options).status_code == 400
    assert twin.graph("PATCH", visit.path, options, headers=LATE).status_code == 200
    plain, preferred = twin.graph("GET", visit.path), twin.graph("GET", visit.path, headers=LATE)
    assert plain.json()["lobbyBypassSettings"]["scope"] == "unknownFutureValue"
    assert preferred.json()["lobbyBypassSettings"]["scope"] == "organizationExcludingGuests"


@pytest.mark.parametrize(
    "body",
    [{"allowedPresenters": "anyone"}, {"externalId": "other"}, {"allowRecording": "yes"}, {"lobbyBypassSettings": 1}],
)
def test_a_patch_refuses_unknown_properties_and_values(twin, body):
    assert twin.graph("PATCH", twin.new_meeting().path, body).status_code == 400


def test_a_call_without_a_good_token_is_refused(twin):
    url = f"{twin.url}/graph{MEETINGS}/createOrGet"
    foreign = twin.graph_token(scope="https://communication.azure.com//.default")

    missing = twin.http.post(url, json={"externalId": "x"}, timeout=10)
    wrong = twin.http.post(url, json={"externalId": "x"}, headers={"Authorization": f"Bearer {foreign}"}, timeout=10)

    assert (missing.status_code, wrong.status_code) == (401, 401)
    assert missing.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_a_deleted_meeting_is_gone(twin):
    visit = twin.new_meeting()

    assert twin.graph("DELETE", visit.path).status_code == 204
    assert twin.graph("GET", visit.path).status_code == 404


def test_a_user_name_is_turned_into_an_object_id(twin):
    answer = twin.graph("GET", "/v1.0/users/amara.okafor@lamna.example.org")

    assert answer.json()["id"] == PROVIDER
    assert twin.graph("GET", "/v1.0/users/nobody@lamna.example.org").status_code == 404
