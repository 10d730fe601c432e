"""Online meetings through Microsoft Graph v1.0.

API: ``/users/{oid}/onlineMeetings``: createOrGet, PATCH, DELETE, getVirtualAppointmentJoinWebUrl.
Documentation: learn.microsoft.com/graph/api/onlinemeeting-createorget, …/onlinemeeting-update,
…/virtualappointment-getvirtualappointmentjoinweburl. Checked: 2026-11-24.
"""

from datetime import UTC, datetime
from typing import Any

import requests

from core.errors import ConnectorError, UpstreamRejected
from core.http import json_object
from meetings.providers.base import MeetingOptions, MeetingRequest, OnlineMeeting, PatientLink
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.graph import PREFER_NEW_MEMBERS, SYSTEM, GraphCall, call, segment

LOBBY_SCOPE_FALLBACK = "organizer"
_BAD_REQUEST, _NOT_FOUND = 400, 404
_LONGEST_DIAL_IN = 40


def ensure_meeting(connection: TeamsConnection, session: requests.Session, request: MeetingRequest) -> OnlineMeeting:
    """Create or get the meeting of ``request.external_id``, set the safe options and compare what came back.

    Identity at Graph is (organizer, external id): the organizer must not change between calls.
    """
    body = {"externalId": request.external_id, "subject": request.subject, **_times(request)}
    path = f"{_collection(request.organizer_object_id)}/createOrGet"
    made = _object(connection, session, GraphCall(
        method="POST", path=path, json=body, organizer=request.organizer_object_id
    ))  # fmt: skip
    patched = _set_options(connection, session, request, meeting_id=str(made["id"]))
    audio = made.get("audioConferencing") or {}
    number = str(audio.get("tollFreeNumber") or audio.get("tollNumber") or "")
    return OnlineMeeting(
        id=str(made["id"]),
        join_web_url=str(made["joinWebUrl"]),
        dial_in_number=number[:_LONGEST_DIAL_IN],
        dial_in_id=str(audio.get("conferenceId") or "")[:_LONGEST_DIAL_IN] if number else "",
        option_differences=compare_options(patched, wanted=graph_options(request.options)),
    )


def patient_link(
    connection: TeamsConnection, session: requests.Session, meeting: OnlineMeeting, *, organizer: str
) -> PatientLink:
    """Return the address at which a browser joins without an account, or else the ordinary one."""
    path = f"{_item(organizer, meeting.id)}/getVirtualAppointmentJoinWebUrl"
    request = GraphCall(method="GET", path=path, organizer=organizer, permission="VirtualAppointment.Read.All")
    try:
        url = str(_object(connection, session, request).get("value") or "")
    except ConnectorError as error:
        return PatientLink(url=meeting.join_web_url, is_fallback=True, error_code=error.code)
    if not url:
        return PatientLink(url=meeting.join_web_url, is_fallback=True, error_code="graph.no_patient_link")
    return PatientLink(url=url)


def reschedule(
    connection: TeamsConnection,
    session: requests.Session,
    meeting_id: str,
    *,
    organizer: str,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    """Move the meeting."""
    body = {"startDateTime": graph_time(starts_at), "endDateTime": graph_time(ends_at)}
    call(connection, session, GraphCall(
        method="PATCH", path=_item(organizer, meeting_id), json=body, organizer=organizer
    ))  # fmt: skip


def delete_meeting(connection: TeamsConnection, session: requests.Session, meeting_id: str, *, organizer: str) -> None:
    """Delete the meeting; one that is gone already is fine."""
    try:
        call(connection, session, GraphCall(method="DELETE", path=_item(organizer, meeting_id), organizer=organizer))
    except UpstreamRejected as error:
        if error.status != _NOT_FOUND:
            raise


def graph_options(options: MeetingOptions) -> dict[str, Any]:
    """Return ``options`` as Graph reads them. Dialling in never passes the lobby."""
    return {
        "lobbyBypassSettings": {"scope": options.lobby_scope, "isDialInBypassEnabled": False},
        "allowedPresenters": options.presenters,
        "allowMeetingChat": options.chat,
    }


def compare_options(meeting: dict[str, Any], *, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a Graph meeting that are not the ``wanted`` ones: name → wanted, got."""
    differences: dict[str, Any] = {}
    for name, value in wanted.items():
        got = meeting.get(name)
        if isinstance(value, dict):
            got = {key: (got or {}).get(key) for key in value}
        if got != value:
            differences[name] = {"wanted": value, "got": got}
    return differences


def graph_time(moment: datetime) -> str:
    """Return ``moment`` in UTC as Graph reads it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _set_options(
    connection: TeamsConnection, session: requests.Session, request: MeetingRequest, *, meeting_id: str
) -> dict[str, Any]:
    """Set the options, and the times, which an existing meeting may still have wrong.

    createOrGet takes no options, and Teams' defaults let everybody present and so admit others.
    """
    wanted = {**graph_options(request.options), **_times(request)}
    try:
        return _patch(connection, session, request, meeting_id=meeting_id, body=wanted)
    except UpstreamRejected as error:
        if error.status != _BAD_REQUEST:
            raise
    # A tenant whose Graph does not know the newer scope yet: the strictest old one keeps guests out as well.
    lobby = {**wanted["lobbyBypassSettings"], "scope": LOBBY_SCOPE_FALLBACK}
    return _patch(connection, session, request, meeting_id=meeting_id, body={**wanted, "lobbyBypassSettings": lobby})


def _patch(
    connection: TeamsConnection,
    session: requests.Session,
    request: MeetingRequest,
    *,
    meeting_id: str,
    body: dict[str, Any],
) -> dict[str, Any]:
    organizer = request.organizer_object_id
    return _object(connection, session, GraphCall(
        method="PATCH", path=_item(organizer, meeting_id), json=body, headers=PREFER_NEW_MEMBERS, organizer=organizer
    ))  # fmt: skip


def _object(connection: TeamsConnection, session: requests.Session, request: GraphCall) -> dict[str, Any]:
    return json_object(call(connection, session, request), system=SYSTEM)


def _times(request: MeetingRequest) -> dict[str, str]:
    if request.starts_at is None or request.ends_at is None:
        return {}
    return {"startDateTime": graph_time(request.starts_at), "endDateTime": graph_time(request.ends_at)}


def _collection(organizer: str) -> str:
    return f"/v1.0/users/{segment(organizer)}/onlineMeetings"


def _item(organizer: str, meeting_id: str) -> str:
    return f"{_collection(organizer)}/{segment(meeting_id)}"
