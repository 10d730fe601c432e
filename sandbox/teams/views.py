"""The Teams-like pages: the door of a meeting, the room, the list of rooms."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sandbox import people
from sandbox.models import Attendant, Meeting
from sandbox.teams import presenter, room
from sandbox.teams.room import RoomRefused, Visitor

_LONGEST_NAME = 60


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, thread: str) -> HttpResponseBase:
    """Open a meeting in Teams: a choice of account, then in."""
    meeting = get_object_or_404(Meeting, thread_id=thread)
    if request.method == "GET":
        context = {"title": presenter.title_of(meeting), "people": people.everybody()}
        return render(request, "sandbox/teams/join.html", context)
    person = people.find(request.POST.get("as", ""))
    if person is None:
        raise Http404("nobody of the tenant has this object id")
    visitor = Visitor(name=person.name, oid=person.oid)
    return _opened(request, room.arrive(meeting, visitor=visitor, now=timezone.now()))


@require_http_methods(["GET", "POST"])
def visit(request: HttpRequest) -> HttpResponseBase:
    """Open a meeting in the browser, without an account."""
    meeting = get_object_or_404(Meeting, thread_id=request.GET.get("convId", ""), tenant_id=request.GET.get("tid", ""))
    if request.method == "GET":
        return render(request, "sandbox/teams/visit.html", {"title": presenter.title_of(meeting)})
    name = request.POST.get("name", "").strip()[:_LONGEST_NAME] or "Guest"
    return _opened(request, room.arrive(meeting, visitor=Visitor(name=name), now=timezone.now()))


@require_GET
def room_page(request: HttpRequest, participant: uuid.UUID) -> HttpResponse:
    """Show the room as one participant sees it; ``?part=room`` is the living part alone."""
    viewer = _attendant(participant)
    if "application/json" in request.headers.get("Accept", ""):
        return _joined_json(viewer)
    template = "sandbox/teams/_room.html" if request.GET.get("part") == "room" else "sandbox/teams/room.html"
    return render(request, template, {"room": presenter.room_for(viewer)})


@require_POST
def admit(request: HttpRequest, participant: uuid.UUID) -> HttpResponseBase:
    """Admit somebody from the lobby, as a participant."""
    by = _attendant(participant)
    guest = _guest(by.meeting, request.POST.get("participant", ""))
    try:
        room.admit(guest, now=timezone.now(), by=by)
    except RoomRefused as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    return redirect("rooms:room", participant=participant)


@require_POST
def leave(request: HttpRequest, participant: uuid.UUID) -> HttpResponseBase:
    """Leave the lobby or the meeting."""
    room.leave(_attendant(participant), now=timezone.now())
    return redirect("rooms:room", participant=participant)


@require_POST
def end(request: HttpRequest, participant: uuid.UUID) -> HttpResponseBase:
    """End the meeting for everybody."""
    by = _attendant(participant)
    try:
        room.end(by.meeting, now=timezone.now(), by=by)
    except RoomRefused as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    return redirect("rooms:room", participant=participant)


@require_GET
def room_list(request: HttpRequest) -> HttpResponse:
    """List the newest meetings."""
    meetings = Meeting.objects.prefetch_related("attendants")[:20]
    return render(request, "sandbox/teams/rooms.html", {"rows": [presenter.row_for(meeting) for meeting in meetings]})


def _attendant(participant: uuid.UUID) -> Attendant:
    return get_object_or_404(Attendant.objects.select_related("meeting"), pk=participant)


def _guest(meeting: Meeting, participant: str) -> Attendant:
    try:
        return get_object_or_404(meeting.attendants, pk=uuid.UUID(participant))
    except ValueError as error:
        raise Http404("not the id of a participant") from error


def _opened(request: HttpRequest, attendant: Attendant) -> HttpResponseBase:
    if "application/json" in request.headers.get("Accept", ""):
        return _joined_json(attendant)
    return redirect("rooms:room", participant=attendant.pk)


def _joined_json(attendant: Attendant) -> JsonResponse:
    return JsonResponse(
        {"meeting": attendant.meeting.graph_id, "participant": str(attendant.pk), "state": attendant.state}
    )
