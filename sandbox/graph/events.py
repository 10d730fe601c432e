"""Meeting call events, and the three generations of payload Microsoft has sent them in."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sandbox.graph.times import graph_time

LEFT = "Participant has left the meeting call."


class Kind(StrEnum):
    """What happened, in the newest spelling."""

    STARTED = "callStarted"
    ENDED = "callEnded"
    ROSTER = "rosterUpdated"


@dataclass(frozen=True)
class RosterChange:
    """One participant's new situation. ``oid`` is empty for people outside the tenant."""

    participant_id: str
    name: str
    oid: str = ""
    tenant_id: str = ""
    is_in_lobby: bool = False
    is_gone: bool = False


@dataclass(frozen=True)
class CallEvent:
    """Something that happened in a meeting's call."""

    kind: Kind
    at: datetime
    changes: tuple[RosterChange, ...] = ()


_OLD_NAMES = {
    Kind.STARTED: "Microsoft.Communication.CallStarted",
    Kind.ENDED: "Microsoft.Communication.CallEnded",
    Kind.ROSTER: "Microsoft.Communication.CallRosterUpdate",
}


def payload(event: CallEvent, *, resource: str, generation: str = "newest") -> dict[str, Any]:
    """Return the plain resource data of ``event``.

    :param generation: ``newest``; ``joined-exited`` (2022: ``activeParticipants@joined`` and ``@exited``);
        ``delta-remove`` (2021: ``activeParticipants@delta`` and ``@remove``). The old two know no lobby.
    """
    if generation == "joined-exited":
        return _old_payload(event, resource=resource, joined="joined", gone="exited")
    if generation == "delta-remove":
        return _old_payload(event, resource=resource, joined="delta", gone="remove")
    body: dict[str, Any] = {
        "@odata.type": "#microsoft.graph.callevent",
        "@odata.id": resource,
        "id": str(uuid.uuid4()),
        "eventType": event.kind.value,
        "eventDateTime": graph_time(event.at),
    }
    if event.kind is Kind.ROSTER:
        body["participants@delta"] = [_newest_participant(change) for change in event.changes]
    return body


def _newest_participant(change: RosterChange) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": change.participant_id,
        "isInLobby": change.is_in_lobby,
        "info": {"identity": _newest_identity(change)},
    }
    if change.is_gone:
        body["removedState"] = {"reason": LEFT}
    return body


def _newest_identity(change: RosterChange) -> dict[str, Any]:
    if change.oid:
        return {"user": {"id": change.oid, "displayName": change.name, "tenantId": change.tenant_id}}
    return {"guest": {"id": change.participant_id, "displayName": change.name}}


def _old_payload(event: CallEvent, *, resource: str, joined: str, gone: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "@odata.type": "#Microsoft.Graph.onlineMeeting",
        "@odata.id": resource,
        "id": resource,
        "eventType": _OLD_NAMES[event.kind],
        "eventDateTime": graph_time(event.at),
        "state": "inactive" if event.kind is Kind.ENDED else "active",
    }
    if event.kind is Kind.ROSTER:
        inside = [change for change in event.changes if not change.is_gone and not change.is_in_lobby]
        body[f"activeParticipants@{joined}"] = [_old_participant(change) for change in inside]
        body[f"activeParticipants@{gone}"] = [_old_participant(change) for change in event.changes if change.is_gone]
    return body


def _old_participant(change: RosterChange) -> dict[str, Any]:
    if change.oid:
        user = {"Id": change.oid, "DisplayName": change.name, "TenantId": change.tenant_id}
        return {"Id": change.participant_id, "Identity": {"User": user}}
    guest = {"Id": f"8:acs:{change.participant_id}", "DisplayName": change.name}
    return {"Id": change.participant_id, "Identity": {"AzureCommunicationServicesUser": guest}}
