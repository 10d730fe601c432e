"""Read what Graph says about a meeting's call, in every spelling it has used.

Newest: ``eventType`` (or ``callEventType``) ``callStarted | callEnded | rosterUpdated`` with
``participants@delta``. 2022: ``Microsoft.Communication.CallRosterUpdate`` with
``activeParticipants@joined`` and ``@exited``. 2021: the same with ``@delta`` and ``@remove``. Keys are read
whatever their capitals, since the generations differ in them.
Documentation: learn.microsoft.com/graph/changenotifications-for-onlinemeeting and its history. Checked: 2026-11-24.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.errors import InvalidMessage
from meetings.providers.base import CallEvent, CallEventKind, Identity, RosterChange, Whereabouts

_KINDS = {
    "callstarted": CallEventKind.STARTED,
    "callended": CallEventKind.ENDED,
    "rosterupdated": CallEventKind.ROSTER,
    "callrosterupdate": CallEventKind.ROSTER,
    "callrosterupdated": CallEventKind.ROSTER,
}
_USER = "user"
# Keys of an identity set that say how somebody came, not who it is.
_NOT_PEOPLE = frozenset({"endpointtype", "@odata.type", "applicationinstance", "application", "device"})
_ARRIVALS = ("participants@delta", "activeparticipants@delta", "activeparticipants@joined")
_DEPARTURES = ("activeparticipants@exited", "activeparticipants@remove", "activeparticipants@removed")


def read_event(payload: dict[str, Any], *, received_at: datetime) -> CallEvent:
    """Return what happened.

    :param received_at: stands in for a missing time.
    :raises InvalidMessage: ``notification.unknown_event`` or ``notification.unreadable``.
    """
    event = _lower(payload)
    name = str(event.get("eventtype") or event.get("calleventtype") or "")
    kind = _KINDS.get(name.rpartition(".")[2].lower())
    if kind is None:
        raise InvalidMessage("notification.unknown_event", detail=name[:60])
    at = _time(event.get("eventdatetime")) or received_at
    return CallEvent(kind=kind, at=at, changes=tuple(_changes(event)) if kind is CallEventKind.ROSTER else ())


def _changes(event: dict[str, Any]) -> Iterator[RosterChange]:
    for key in _ARRIVALS:
        for participant in _people(event, key):
            yield _change(participant, Whereabouts.IN_CALL)
    for key in _DEPARTURES:
        for participant in _people(event, key):
            yield _change(participant, Whereabouts.GONE)


def _people(event: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    found = event.get(key) or []
    if not isinstance(found, list) or not all(isinstance(participant, dict) for participant in found):
        raise InvalidMessage("notification.unreadable", detail=key)
    for participant in found:
        person = _lower(participant)
        if person.get("id"):
            yield person


def _change(person: dict[str, Any], whereabouts: Whereabouts) -> RosterChange:
    if person.get("removedstate"):
        whereabouts = Whereabouts.GONE
    elif whereabouts is Whereabouts.IN_CALL and person.get("isinlobby") is True:
        whereabouts = Whereabouts.LOBBY
    info = _lower(person.get("info"))
    identities = _lower(info.get("identity") or person.get("identity"))
    return RosterChange(connection_id=str(person["id"])[:200], whereabouts=whereabouts, identity=_identity(identities))


def _identity(identities: dict[str, Any]) -> Identity:
    """Return who it is: a user with a tenant, or an outsider under whichever other key there is."""
    user = _lower(identities.get(_USER))
    if user.get("id"):
        return Identity(id=str(user["id"]), tenant_id=str(user.get("tenantid") or ""))
    for key, value in sorted(identities.items()):
        if key not in _NOT_PEOPLE and (identity := _lower(value).get("id")):
            return Identity(id=str(identity))
    return Identity()


def _lower(value: object) -> dict[str, Any]:
    """Return an object with its keys in lower case; anything else as an empty one."""
    return {str(key).lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _time(value: object) -> datetime | None:
    """Return an ISO 8601 time as aware; Graph writes seven decimals, without an offset it is UTC."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidMessage("notification.unreadable", detail="eventDateTime") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
