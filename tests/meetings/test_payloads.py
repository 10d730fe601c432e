import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidMessage
from meetings.providers.base import CallEventKind, Identity, RosterChange, Whereabouts
from meetings.providers.teams.payloads import read_event
from tests.meetings.graph import GONE, guest, member, roster

RECEIVED = datetime(2026, 11, 24, 15, 0, 9, tzinfo=UTC)
TENANT = "11111111-2222-4333-8444-555555555555"


def read(payload):
    return read_event(payload, received_at=RECEIVED)


def test_the_newest_roster_says_who_waits_who_is_in_and_who_left():
    event = read(roster(member("m1", TENANT), guest("g1", isInLobby=True), guest("g2", **GONE)))
    assert event.at == datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    assert [(change.connection_id, change.whereabouts) for change in event.changes] == [
        ("m1", Whereabouts.IN_CALL),
        ("g1", Whereabouts.LOBBY),
        ("g2", Whereabouts.GONE),
    ]
    assert event.changes[0].identity.is_member_of(TENANT.upper())
    assert not event.changes[1].identity.is_member_of(TENANT)


def test_somebody_removed_from_the_lobby_is_gone_and_not_waiting():
    assert read(roster(guest("g", isInLobby=True, **GONE))).changes[0].whereabouts is Whereabouts.GONE


@pytest.mark.parametrize(("joined", "gone"), [("joined", "exited"), ("delta", "remove")])
def test_the_older_generations_say_who_joined_and_who_left(joined, gone):
    event = read(
        {
            "eventType": "Microsoft.Communication.CallRosterUpdate",
            "eventDateTime": "2022-03-01T10:00:00Z",
            "state": "active",
            f"activeParticipants@{joined}": [
                {"Id": "p1", "Identity": {"User": {"Id": "oid", "DisplayName": "A", "TenantId": TENANT}}}
            ],
            f"activeParticipants@{gone}": [
                {"Id": "p2", "Identity": {"AzureCommunicationServicesUser": {"Id": "8:acs:1"}}}
            ],
        }
    )
    assert event.changes == (
        RosterChange(
            connection_id="p1", whereabouts=Whereabouts.IN_CALL, identity=Identity(id="oid", tenant_id=TENANT)
        ),
        RosterChange(connection_id="p2", whereabouts=Whereabouts.GONE, identity=Identity(id="8:acs:1")),
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("callStarted", CallEventKind.STARTED),
        ("callEnded", CallEventKind.ENDED),
        ("rosterUpdated", CallEventKind.ROSTER),
        ("ROSTERUPDATED", CallEventKind.ROSTER),
        ("Microsoft.Communication.CallStarted", CallEventKind.STARTED),
        ("Microsoft.Communication.CallEnded", CallEventKind.ENDED),
        ("microsoft.communication.callrosterupdate", CallEventKind.ROSTER),
    ],
)
@pytest.mark.parametrize("key", ["eventType", "callEventType", "EventType", "CALLEVENTTYPE"])
def test_an_event_is_known_by_either_key_in_any_capitals(key, name, kind):
    assert read({key: name}).kind is kind


def test_keys_are_read_in_any_capitals():
    def shouted(value):
        if isinstance(value, dict):
            return {key.upper(): shouted(item) for key, item in value.items()}
        return [shouted(item) for item in value] if isinstance(value, list) else value

    payload = roster(member("m1", TENANT), guest("g1", isInLobby=True))
    assert read(shouted(payload)) == read(payload)


@pytest.mark.parametrize("key", ["guest", "phone", "azureCommunicationServicesUser", "encrypted", "somethingNew"])
def test_whatever_is_no_user_is_an_outsider(key):
    person = {"id": "c", "info": {"identity": {"endpointType": "default", key: {"id": "x1"}}}}
    assert read(roster(person)).changes[0].identity == Identity(id="x1")


def test_a_user_without_a_tenant_is_an_outsider():
    person = {"id": "c", "info": {"identity": {"user": {"id": "x"}}}}
    assert not read(roster(person)).changes[0].identity.is_member_of(TENANT)


def test_a_removal_without_an_identity_is_read():
    assert read(roster({"id": "c", **GONE})).changes[0].identity == Identity()


def test_a_missing_time_is_the_time_of_receipt():
    assert read({"eventType": "callEnded"}).at == RECEIVED


def test_a_time_without_offset_is_utc():
    assert read({"eventType": "callEnded", "eventDateTime": "2026-11-24T15:00:00"}).at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, "notification.unknown_event"),
        ({"eventType": "callTransferred"}, "notification.unknown_event"),
        ({"eventType": "callEnded", "eventDateTime": "yesterday"}, "notification.unreadable"),
        ({"eventType": "rosterUpdated", "participants@delta": "nobody"}, "notification.unreadable"),
        ({"eventType": "rosterUpdated", "participants@delta": ["x"]}, "notification.unreadable"),
    ],
)
def test_what_cannot_be_read_is_refused(payload, code):
    with pytest.raises(InvalidMessage) as refused:
        read(payload)
    assert refused.value.code == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["eventType", "eventDateTime", "participants@delta", "activeParticipants@exited"]),
        st.sampled_from(["rosterUpdated", "callEnded"]) | json_values,
    )
)
def test_no_payload_does_anything_but_parse_or_be_refused(payload):
    with contextlib.suppress(InvalidMessage):
        read(payload)
