"""How Graph writes meetings, times and addresses."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from sandbox import people
from sandbox.graph.times import graph_time
from sandbox.models import Meeting

# Enum members that a client only sees when it says so (evolvable enums).
LATE_SCOPES = frozenset({"invited", "organizationExcludingGuests"})


def meeting_id(*, organizer_oid: str, thread_id: str) -> str:
    """Return the id of a meeting: organizer and thread in base64, as Graph's are."""
    return base64.urlsafe_b64encode(f"1*{organizer_oid}*0**{thread_id}".encode()).decode().rstrip("=")


def join_web_url(meeting: Meeting) -> str:
    """Return the address that opens the meeting in Teams."""
    context = json.dumps({"Tid": meeting.tenant_id, "Oid": meeting.organizer_oid}, separators=(",", ":"))
    thread = quote(meeting.thread_id, safe="")
    return f"{settings.SANDBOX_URL}/teams/l/meetup-join/{thread}/0?context={quote(context, safe='')}"


def visit_url(meeting: Meeting) -> str:
    """Return the address that opens the meeting in a browser, without an account."""
    query = urlencode({"tid": meeting.tenant_id, "convId": meeting.thread_id})
    return f"{settings.SANDBOX_URL}/teams/visit/webrtc-svc/api/route?{query}"


def meeting_json(meeting: Meeting, *, shows_late_members: bool) -> dict[str, Any]:
    """Return the onlineMeeting resource.

    :param shows_late_members: the request said ``Prefer: include-unknown-enum-members``.
    """
    options = {name: value for name, value in meeting.options.items() if name != "attendees"}
    lobby = dict(options.pop("lobbyBypassSettings"))
    if lobby["scope"] in LATE_SCOPES and not shows_late_members:
        lobby["scope"] = "unknownFutureValue"
    return {
        "@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#users('{meeting.organizer_oid}')/onlineMeetings/$entity",
        "id": meeting.graph_id,
        "externalId": meeting.external_id,
        "creationDateTime": graph_time(meeting.created_at),
        "startDateTime": graph_time(meeting.starts_at),
        "endDateTime": graph_time(meeting.ends_at),
        "subject": meeting.subject or None,
        "joinWebUrl": join_web_url(meeting),
        "participants": _participants(meeting),
        "lobbyBypassSettings": lobby,
        "chatInfo": {"threadId": meeting.thread_id, "messageId": "0", "replyChainMessageId": None},
        "joinMeetingIdSettings": {
            "isPasscodeRequired": False,
            "joinMeetingId": f"{meeting.pk:012d}",
            "passcode": None,
        },
        "audioConferencing": _audio_conferencing(meeting),
        **options,
    }


def _participants(meeting: Meeting) -> dict[str, Any]:
    organizer = people.find(meeting.organizer_oid)
    user = {
        "id": meeting.organizer_oid,
        "displayName": organizer.name if organizer else None,
        "tenantId": meeting.tenant_id,
        "identityProvider": "AAD",
    }
    return {
        "organizer": {
            "upn": organizer.username if organizer else None,
            "role": "presenter",
            "identity": {"user": user},
        },
        "attendees": meeting.options.get("attendees", []),
    }


def _audio_conferencing(meeting: Meeting) -> dict[str, Any]:
    """Return how the meeting is joined by telephone: one invented number for all, and an id for each."""
    return {
        "conferenceId": f"{meeting.pk:09d}",
        "tollNumber": "+1 608-555-0100",
        "tollFreeNumber": None,
        "dialinUrl": f"https://dialin.teams.example.org/{meeting.pk}",
    }
