"""Attendance reports, computed from who was in a call. They know nothing of the lobby, as Graph's do not."""

from collections import defaultdict
from typing import Any

from sandbox import people
from sandbox.graph.times import graph_time
from sandbox.models import Attendant, Call

_ROLES = {
    Attendant.Role.ORGANIZER: "Organizer",
    Attendant.Role.TENANT: "Presenter",
    Attendant.Role.EXTERNAL: "Attendee",
}


def report_list_json(call: Call) -> dict[str, Any]:
    """Return the report without its records, as lists have it."""
    return {**_head(call, _stays(call)), "attendanceRecords": []}


def report_json(call: Call) -> dict[str, Any]:
    """Return the report with a record per person; one who came twice has two intervals."""
    stays = _stays(call)
    return {**_head(call, stays), "attendanceRecords": [_record(rows) for rows in stays.values()]}


def _stays(call: Call) -> dict[str, list[Attendant]]:
    """Return everybody's stays by person: guests have no account, so each stay is a person."""
    stays: dict[str, list[Attendant]] = defaultdict(list)
    for attendant in call.attendants.filter(joined_at__isnull=False):
        stays[attendant.oid or str(attendant.id)].append(attendant)
    return stays


def _head(call: Call, stays: dict[str, list[Attendant]]) -> dict[str, Any]:
    assert call.ended_at is not None  # noqa: S101 - reports exist for ended calls only
    return {
        "id": str(call.id),
        "totalParticipantCount": len(stays),
        "meetingStartDateTime": graph_time(call.started_at),
        "meetingEndDateTime": graph_time(call.ended_at),
    }


def _record(stays: list[Attendant]) -> dict[str, Any]:
    first = stays[0]
    person = people.find(first.oid) if first.oid else None
    intervals = [_interval(stay) for stay in stays]
    return {
        "id": first.oid or str(first.id),
        "emailAddress": person.username if person else None,
        "totalAttendanceInSeconds": sum(interval["durationInSeconds"] for interval in intervals),
        "role": _ROLES[Attendant.Role(first.role)],
        "identity": {
            "id": first.oid or None,
            "displayName": first.name,
            "tenantId": first.meeting.tenant_id if first.oid else None,
        },
        "attendanceIntervals": intervals,
    }


def _interval(stay: Attendant) -> dict[str, Any]:
    left_at = stay.left_at or stay.meeting.ends_at
    assert stay.joined_at is not None  # noqa: S101 - only those who were in the call are asked for
    return {
        "joinDateTime": graph_time(stay.joined_at),
        "leaveDateTime": graph_time(left_at),
        "durationInSeconds": int((left_at - stay.joined_at).total_seconds()),
    }
