"""Attendance reports: who was in a meeting's calls, as Teams counted afterwards.

API: Graph v1.0 ``GET /users/{oid}/onlineMeetings/{id}/attendanceReports`` (records are empty there) and
``…/{report}?$expand=attendanceRecords``; one report for each time the meeting ended. The lobby is not in them.
Documentation: learn.microsoft.com/graph/api/meetingattendancereport-list, …/attendancerecord-list.
Checked: 2026-11-24.
"""

from datetime import UTC, datetime
from typing import Any

import requests

from core.errors import UpstreamRejected
from core.http import json_object
from meetings.providers.base import AttendanceRecord, AttendanceReport, Identity, Stay
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.graph import SYSTEM, GraphCall, call, segment

_PERMISSION = "OnlineMeetingArtifact.Read.All"
# Sessions of one visit; a meeting that ends more often than this is no visit.
MOST_REPORTS = 20


def attendance_reports(
    connection: TeamsConnection, session: requests.Session, meeting_id: str, *, organizer: str
) -> list[AttendanceReport]:
    """Return the reports of a meeting, oldest first.

    :raises UpstreamRejected: ``graph.unreadable_report`` when a report is not as documented.
    """
    path = f"/v1.0/users/{segment(organizer)}/onlineMeetings/{segment(meeting_id)}/attendanceReports"

    def get(path: str) -> dict[str, Any]:
        request = GraphCall(method="GET", path=path, organizer=organizer, permission=_PERMISSION)
        return json_object(call(connection, session, request), system=SYSTEM)

    try:
        ids = [str(report["id"]) for report in get(path).get("value", [])][:MOST_REPORTS]
        reports = [_report(get(f"{path}/{segment(report)}?$expand=attendanceRecords")) for report in ids]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UpstreamRejected("graph.unreadable_report", detail=type(error).__name__) from error
    return sorted(reports, key=lambda report: report.started_at)


def _report(body: dict[str, Any]) -> AttendanceReport:
    return AttendanceReport(
        id=str(body["id"]),
        started_at=_time(body["meetingStartDateTime"]),
        ended_at=_time(body["meetingEndDateTime"]),
        records=tuple(_record(record) for record in body.get("attendanceRecords") or []),
    )


def _record(body: dict[str, Any]) -> AttendanceRecord:
    identity = body.get("identity") or {}
    return AttendanceRecord(
        id=str(body["id"]),
        identity=Identity(id=str(identity.get("id") or ""), tenant_id=str(identity.get("tenantId") or "")),
        stays=tuple(_stay(interval) for interval in body.get("attendanceIntervals") or []),
    )


def _stay(body: dict[str, Any]) -> Stay:
    return Stay(joined_at=_time(body["joinDateTime"]), left_at=_time(body["leaveDateTime"]))


def _time(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
