"""``/users/{oid}/onlineMeetings``: v1.0, as documented on the onlineMeeting pages (checked November 2026)."""

import re
from typing import ClassVar
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from sandbox import ledger, people
from sandbox.graph import meetings
from sandbox.graph.attendance import report_json, report_list_json
from sandbox.graph.base import GraphView, json_body, no_content
from sandbox.graph.errors import bad_request, not_found
from sandbox.graph.wire import join_web_url, meeting_json, visit_url
from sandbox.models import Meeting

_WRITE = frozenset({"OnlineMeetings.ReadWrite.All"})
_READ = _WRITE | {"OnlineMeetings.Read.All"}
_VISIT = frozenset({"VirtualAppointment.Read.All", "VirtualAppointment.ReadWrite.All"})
_ARTIFACTS = frozenset({"OnlineMeetingArtifact.Read.All"})
_JOIN_FILTER = re.compile(r"joinweburl eq '(?P<url>[^']+)'", re.IGNORECASE)


def _sees_late_members(request: HttpRequest) -> bool:
    return "include-unknown-enum-members" in request.headers.get("Prefer", "").lower()


def _answer(request: HttpRequest, meeting: Meeting, *, status: int = 200) -> JsonResponse:
    return JsonResponse(meeting_json(meeting, shows_late_members=_sees_late_members(request)), status=status)


class CreateOrGet(GraphView):
    """``POST …/createOrGet``: 201 for a new meeting, 200 for the one that was there."""

    permissions: ClassVar = {"POST": _WRITE}

    def post(self, request: HttpRequest, oid: str) -> JsonResponse:
        """Create or return the meeting of an external id."""
        body = json_body(request)
        meeting, is_new = meetings.create_or_get(body, caller=self.caller, organizer_oid=oid, now=timezone.now())
        return _answer(request, meeting, status=201 if is_new else 200)


class MeetingList(GraphView):
    """``…/onlineMeetings``: create without an external id, or find by ``$filter=JoinWebUrl eq '…'``."""

    permissions: ClassVar = {"POST": _WRITE, "GET": _READ}

    def post(self, request: HttpRequest, oid: str) -> JsonResponse:
        """Create a meeting."""
        body = json_body(request)
        return _answer(
            request, meetings.create(body, caller=self.caller, organizer_oid=oid, now=timezone.now()), status=201
        )

    def get(self, request: HttpRequest, oid: str) -> JsonResponse:
        """Find the organizer's meeting by its join address; Graph lists in no other way."""
        match = _JOIN_FILTER.fullmatch(request.GET.get("$filter", "").strip())
        if match is None:
            raise bad_request("Filter expression expected - JoinWebUrl eq '{joinUrl}'.")
        url = match["url"]
        found = [
            meeting_json(meeting, shows_late_members=_sees_late_members(request))
            for meeting in Meeting.objects.filter(organizer_oid=oid)
            if join_web_url(meeting) == url or unquote(join_web_url(meeting)) == unquote(url)
        ]
        return JsonResponse({"value": found})


class MeetingDetail(GraphView):
    """``…/onlineMeetings/{id}``."""

    permissions: ClassVar = {"GET": _READ, "PATCH": _WRITE, "DELETE": _WRITE}

    def get(self, request: HttpRequest, oid: str, meeting: str) -> JsonResponse:
        """Return a meeting."""
        return _answer(request, meetings.find(organizer_oid=oid, graph_id=meeting))

    def patch(self, request: HttpRequest, oid: str, meeting: str) -> JsonResponse:
        """Set options, times, subject or attendees."""
        found = meetings.find(organizer_oid=oid, graph_id=meeting)
        patched = meetings.change(found, json_body(request), may_use_late_members=_sees_late_members(request))
        return _answer(request, patched)

    def delete(self, request: HttpRequest, oid: str, meeting: str) -> HttpResponse:
        """Delete a meeting."""
        found = meetings.find(organizer_oid=oid, graph_id=meeting)
        ledger.record("graph", "meeting_deleted", key=found.graph_id)
        found.delete()
        return no_content()


class VisitUrl(GraphView):
    """``…/getVirtualAppointmentJoinWebUrl``: the address patients open in a browser."""

    permissions: ClassVar = {"GET": _VISIT}

    def get(self, request: HttpRequest, oid: str, meeting: str) -> JsonResponse:
        """Return the browser join address."""
        found = meetings.find(organizer_oid=oid, graph_id=meeting)
        ledger.record("graph", "join_url", key=found.graph_id)
        return JsonResponse(
            {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Edm.String", "value": visit_url(found)}
        )


class ReportList(GraphView):
    """``…/attendanceReports``: one per call that has ended; records are empty here."""

    permissions: ClassVar = {"GET": _ARTIFACTS}

    def get(self, request: HttpRequest, oid: str, meeting: str) -> JsonResponse:
        """List the reports, newest first."""
        found = meetings.find(organizer_oid=oid, graph_id=meeting)
        ended = found.calls.filter(ended_at__isnull=False).order_by("-started_at")
        return JsonResponse({"value": [report_list_json(call) for call in ended]})


class ReportDetail(GraphView):
    """``…/attendanceReports/{id}``, with ``$expand=attendanceRecords``."""

    permissions: ClassVar = {"GET": _ARTIFACTS}

    def get(self, request: HttpRequest, oid: str, meeting: str, report: str) -> JsonResponse:
        """Return a report."""
        found = meetings.find(organizer_oid=oid, graph_id=meeting)
        call = found.calls.filter(pk=report, ended_at__isnull=False).first()
        if call is None:
            raise not_found("The attendance report")
        is_expanded = request.GET.get("$expand", "") == "attendanceRecords"
        return JsonResponse(report_json(call) if is_expanded else report_list_json(call))


class UserDetail(GraphView):
    """``/users/{oid or UPN}``: enough to turn a user name into an object id."""

    permissions: ClassVar = {"GET": frozenset({"User.ReadBasic.All", "User.Read.All"})}

    def get(self, request: HttpRequest, oid: str) -> JsonResponse:
        """Return a user."""
        person = people.find(oid) or people.find_by_username(oid)
        if person is None:
            message = (
                f"Resource '{oid}' does not exist or one of its queried reference-property objects are not present."
            )
            raise not_found(message)
        return JsonResponse({"id": person.oid, "displayName": person.name, "userPrincipalName": person.username})
