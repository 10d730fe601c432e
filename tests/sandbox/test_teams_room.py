import pytest

from tests.sandbox.twin import COLLEAGUE, JSON, ORGANIZER, PROVIDER

pytestmark = pytest.mark.xdist_group("sandbox")

STRICT = {"allowedPresenters": "organization"}


def events(subscriber, listener, count: int) -> list[dict]:
    deliveries = [listener.take().json["value"][0] for _ in range(count)]
    return [subscriber.read(value["encryptedContent"]) for value in deliveries]


def test_a_whole_visit_tells_lobby_admission_and_leaving(twin, subscriber, listener):
    visit = twin.new_meeting(**STRICT)
    visit.subscribe(subscriber)

    guest = visit.patient()
    provider = visit.staff(PROVIDER)
    visit.do("admit", guest["participant"])
    visit.do("leave", guest["participant"])
    visit.do("leave", provider["participant"])

    assert (guest["state"], provider["state"]) == ("lobby", "in_call")
    heard = events(subscriber, listener, 7)
    assert [event["eventType"] for event in heard] == [
        "rosterUpdated",
        "callStarted",
        "rosterUpdated",
        "rosterUpdated",
        "rosterUpdated",
        "rosterUpdated",
        "callEnded",
    ]
    lobby, _, joined, admitted, left, *_ = heard
    assert lobby["participants@delta"][0]["isInLobby"] is True
    assert joined["participants@delta"][0]["info"]["identity"]["user"]["id"] == PROVIDER
    assert admitted["participants@delta"][0]["id"] == guest["participant"]
    assert admitted["participants@delta"][0]["isInLobby"] is False
    assert "removedState" in left["participants@delta"][0]


def test_the_ledger_follows_a_visit(twin):
    visit = twin.new_meeting()
    guest = visit.patient()["participant"]
    visit.staff(ORGANIZER)
    visit.do("admit", guest)
    visit.do("end")

    key = visit.meeting["id"]
    assert twin.entries("teams", "lobby_entered", key=key)[0]["data"] == {"participant": guest, "role": "external"}
    assert twin.entries("teams", "admitted", key=key)[0]["data"]["participant"] == guest
    assert {entry["data"]["role"] for entry in twin.entries("teams", "joined", key=key)} == {"organizer", "external"}
    assert len(twin.entries("teams", "left", key=key)) == 2
    assert len(twin.entries("teams", "ended", key=key)) == 1


@pytest.mark.parametrize(
    ("scope", "states"),
    [
        ("everyone", ("in_call", "in_call", "in_call")),
        ("organization", ("in_call", "in_call", "lobby")),
        ("organizer", ("in_call", "lobby", "lobby")),
    ],
)
def test_the_lobby_follows_the_meetings_options(twin, scope, states):
    visit = twin.new_meeting(lobbyBypassSettings={"scope": scope})

    joined = (visit.staff(ORGANIZER), visit.staff(PROVIDER), visit.patient())

    assert tuple(one["state"] for one in joined) == states


def test_with_microsofts_defaults_a_patient_may_admit_and_with_ours_not(twin):
    for options, status in (({}, 200), (STRICT, 409)):
        visit = twin.new_meeting(**options)
        visit.staff(PROVIDER)
        first, second = visit.patient()["participant"], visit.patient()["participant"]
        visit.do("admit", first)

        url = f"{twin.url}/rooms/{first}/admit/"
        answer = twin.http.post(url, data={"participant": second}, headers=JSON, timeout=10)

        assert answer.status_code == status


def test_a_colleague_who_comes_twice_is_one_participant(twin):
    visit = twin.new_meeting()

    assert visit.staff(COLLEAGUE)["participant"] == visit.staff(COLLEAGUE)["participant"]


def test_an_old_payload_generation_can_be_switched_on(twin, subscriber, listener):
    visit = twin.new_meeting()
    visit.subscribe(subscriber)
    twin.put_faults({"graph.payload": "joined-exited"})

    visit.staff(PROVIDER)

    started, roster = events(subscriber, listener, 2)
    assert started["eventType"] == "Microsoft.Communication.CallStarted"
    assert roster["activeParticipants@joined"][0]["Identity"]["User"]["Id"] == PROVIDER


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("duplicate", ["callStarted", "callStarted", "rosterUpdated", "rosterUpdated"]),
        ("drop", []),
    ],
)
def test_notifications_can_be_doubled_or_lost(twin, subscriber, listener, fault, kinds):
    visit = twin.new_meeting()
    visit.subscribe(subscriber)
    twin.put_faults({"graph.notifications": fault})

    visit.staff(PROVIDER)

    assert [event["eventType"] for event in events(subscriber, listener, len(kinds))] == kinds
    assert listener.is_quiet()


def test_the_attendance_report_has_everybody_and_no_lobby(twin):
    visit = twin.new_meeting()
    guest = visit.patient()
    visit.staff(PROVIDER)
    visit.do("admit", guest["participant"])
    visit.do("end")

    [listed] = twin.graph("GET", f"{visit.path}/attendanceReports").json()["value"]
    report = twin.graph(
        "GET", f"{visit.path}/attendanceReports/{listed['id']}", **{"$expand": "attendanceRecords"}
    ).json()

    assert listed["attendanceRecords"] == []
    assert report["totalParticipantCount"] == 2
    roles = {record["role"]: record["identity"]["id"] for record in report["attendanceRecords"]}
    assert roles == {"Presenter": PROVIDER, "Attendee": None}
    assert all(len(record["attendanceIntervals"]) == 1 for record in report["attendanceRecords"])


def test_the_room_page_names_its_participant_and_shows_the_lobby_to_presenters_only(twin):
    visit = twin.new_meeting(**STRICT)
    guest, provider = visit.patient()["participant"], visit.staff(PROVIDER)["participant"]

    inside = twin.http.get(f"{twin.url}/rooms/{provider}/", timeout=10).text
    outside = twin.http.get(f"{twin.url}/rooms/{guest}/", timeout=10).text

    assert f'data-participant="{provider}"' in inside
    assert "Admit" in inside
    assert "Admit" not in outside
    assert "Amara Okafor" not in outside


def test_impossible_acts_are_refused_in_words(twin):
    visit = twin.new_meeting()
    provider = visit.staff(PROVIDER)["participant"]

    not_waiting, unknown = visit.do("admit", provider), visit.do("admit", "nobody")

    assert (not_waiting.status_code, not_waiting.json()["error"]) == (409, "Amara Okafor is not in the lobby.")
    assert unknown.status_code == 404


def test_an_opening_page_changes_nothing(twin):
    visit = twin.new_meeting()

    assert twin.http.get(visit.browser_url, timeout=10).status_code == 200
    assert twin.http.get(visit.meeting["joinWebUrl"], timeout=10).status_code == 200

    rooms = twin.http.get(f"{twin.url}/control/rooms", timeout=10).json()["rooms"]
    assert next(room for room in rooms if room["meeting"] == visit.meeting["id"])["participants"] == []
