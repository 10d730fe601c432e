import datetime as dt

from sandbox.graph.events import CallEvent, Kind, RosterChange, payload

AT = dt.datetime(2026, 11, 24, 14, 0, 5, 250000, tzinfo=dt.UTC)
PROVIDER = RosterChange("p1", "Amara Okafor", oid="o1", tenant_id="t1")
WAITING = RosterChange("p2", "Guest", is_in_lobby=True)
GONE = RosterChange("p2", "Guest", is_gone=True)


def test_the_newest_payload_tells_who_waits_and_who_left():
    body = payload(CallEvent(Kind.ROSTER, AT, (PROVIDER, WAITING, GONE)), resource="r")

    user, waiting, gone = body["participants@delta"]
    assert body["eventType"] == "rosterUpdated"
    assert body["eventDateTime"] == "2026-11-24T14:00:05.2500000Z"
    assert user["info"]["identity"]["user"] == {"id": "o1", "displayName": "Amara Okafor", "tenantId": "t1"}
    assert waiting["isInLobby"] is True
    assert "user" not in waiting["info"]["identity"]
    assert gone["removedState"] == {"reason": "Participant has left the meeting call."}


def test_a_call_event_has_no_participants():
    assert "participants@delta" not in payload(CallEvent(Kind.STARTED, AT), resource="r")


def test_the_payload_of_2022_says_joined_and_exited_and_knows_no_lobby():
    event = CallEvent(Kind.ROSTER, AT, (PROVIDER, WAITING, GONE))

    body = payload(event, resource="r", generation="joined-exited")

    assert body["eventType"] == "Microsoft.Communication.CallRosterUpdate"
    assert [one["Id"] for one in body["activeParticipants@joined"]] == ["p1"]
    assert [one["Id"] for one in body["activeParticipants@exited"]] == ["p2"]
    assert body["activeParticipants@joined"][0]["Identity"]["User"]["TenantId"] == "t1"


def test_the_payload_of_2021_says_delta_and_remove():
    body = payload(CallEvent(Kind.ROSTER, AT, (PROVIDER, GONE)), resource="r", generation="delta-remove")

    assert [one["Id"] for one in body["activeParticipants@delta"]] == ["p1"]
    assert [one["Id"] for one in body["activeParticipants@remove"]] == ["p2"]


def test_an_old_ended_call_is_inactive():
    body = payload(CallEvent(Kind.ENDED, AT), resource="r", generation="joined-exited")

    assert (body["eventType"], body["state"]) == ("Microsoft.Communication.CallEnded", "inactive")
