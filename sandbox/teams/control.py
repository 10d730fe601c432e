"""Control interface of the rooms: what a person does on the pages, as JSON."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from sandbox.graph.notify import publish_lifecycle
from sandbox.models import Attendant, Meeting, Subscription
from sandbox.teams import presenter, room
from sandbox.teams.room import RoomRefused

_LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")


@require_GET
def rooms(request: HttpRequest) -> JsonResponse:
    """List the newest meetings with everybody who ever came."""
    meetings = Meeting.objects.prefetch_related("attendants")[:200]
    return JsonResponse({"rooms": [presenter.room_json(meeting) for meeting in meetings]})


@require_POST
def admit(request: HttpRequest, meeting: str) -> JsonResponse:
    """Admit ``participant`` from the lobby."""
    return _act(_participant(request, meeting), room.admit)


@require_POST
def leave(request: HttpRequest, meeting: str) -> JsonResponse:
    """Make ``participant`` leave."""
    return _act(_participant(request, meeting), room.leave)


@require_POST
def end(request: HttpRequest, meeting: str) -> JsonResponse:
    """End the meeting for everybody."""
    found = get_object_or_404(Meeting, graph_id=meeting)
    room.end(found, now=timezone.now())
    return JsonResponse(presenter.room_json(found))


@require_POST
def lifecycle(request: HttpRequest, meeting: str) -> JsonResponse:
    """Send a lifecycle notification to every subscriber of the meeting."""
    return _send_lifecycle(request, Subscription.objects.filter(meeting__graph_id=meeting))


@require_POST
def records_lifecycle(request: HttpRequest, app: UUID) -> JsonResponse:
    """Send a lifecycle notification to an application that subscribed to call records."""
    return _send_lifecycle(request, Subscription.objects.filter(meeting=None, app_id=app))


@require_POST
def lose_records(_request: HttpRequest, app: UUID) -> JsonResponse:
    """Forget an application's subscription to call records without a word, as outages do."""
    lost, _ = Subscription.objects.filter(meeting=None, app_id=app).delete()
    return JsonResponse({"lost": lost})


def _send_lifecycle(request: HttpRequest, subscriptions: QuerySet[Subscription]) -> JsonResponse:
    event = _body(request).get("event", _LIFECYCLE_EVENTS[0])
    if event not in _LIFECYCLE_EVENTS:
        return JsonResponse({"error": f"event is one of {', '.join(_LIFECYCLE_EVENTS)}"}, status=400)
    found = list(subscriptions)
    for subscription in found:
        publish_lifecycle(subscription, lifecycle_event=event)
    return JsonResponse({"sent": len(found)})


def _act(attendant: Attendant | None, act: Callable[..., None]) -> JsonResponse:
    if attendant is None:
        return JsonResponse({"error": "no such participant in this meeting"}, status=404)
    try:
        act(attendant, now=timezone.now())
    except RoomRefused as error:
        return JsonResponse({"error": str(error)}, status=409)
    return JsonResponse(presenter.room_json(attendant.meeting))


def _participant(request: HttpRequest, meeting: str) -> Attendant | None:
    candidates = Attendant.objects.select_related("meeting").filter(meeting__graph_id=meeting)
    try:
        return candidates.filter(pk=str(_body(request).get("participant"))).first()
    except ValidationError:  # not a UUID
        return None


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
