"""Call records of calls that have ended: one session for each person, measured always the same for the same person."""

import random
import re
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from sandbox.graph.base import GraphView
from sandbox.graph.errors import bad_request, not_found
from sandbox.graph.times import graph_time, read_time
from sandbox.graph.wire import join_web_url
from sandbox.models import Attendant, Call

PAGE = 60
KEPT = timedelta(days=30)
_PERMISSION = frozenset({"CallRecords.Read.All"})
_FILTER = re.compile(r"startDateTime ge (\S+) and startDateTime lt (\S+)")
_POOR_SHARE = 0.15
_OUTSIDE = (
    ("windows", "Chrome", "wired"),
    ("iOS", "Safari", "wifi"),
    ("android", "Chrome", "mobile"),
    ("macOS", "Safari", "wifi"),
)
_WAYS = ("callerToCallee", "calleeToCaller")


class RecordList(GraphView):
    """``/communications/callRecords``, with a filter of the start and in pages; without sessions, as Graph's."""

    permissions: ClassVar = {"GET": _PERMISSION}

    def get(self, request: HttpRequest) -> JsonResponse:
        """Return a page of heads, and where the next one is."""
        calls = _ended()
        wanted = request.GET.get("$filter")
        if wanted:
            found = _FILTER.fullmatch(wanted)
            if found is None:
                raise bad_request("The filter is supported on startDateTime only.")
            since, until = (read_time(text, name="startDateTime") for text in found.groups())
            calls = calls.filter(started_at__gte=since, started_at__lt=until)
        start = int(request.GET.get("$skiptoken", "0") or 0)
        page = list(calls.order_by("started_at", "id")[start : start + PAGE + 1])
        body: dict[str, Any] = {"value": [_head(call) for call in page[:PAGE]]}
        if len(page) > PAGE:
            query = request.GET.copy()
            query["$skiptoken"] = str(start + PAGE)
            body["@odata.nextLink"] = f"{settings.SANDBOX_URL}{request.path}?{query.urlencode()}"
        return JsonResponse(body)


class RecordDetail(GraphView):
    """``/communications/callRecords/{id}``, with ``$expand=sessions($expand=segments)``."""

    permissions: ClassVar = {"GET": _PERMISSION}

    def get(self, request: HttpRequest, record: str) -> JsonResponse:
        """Return a record."""
        call = _ended().filter(pk=record).first()
        if call is None:
            raise not_found("The call record")
        body = _head(call)
        if request.GET.get("$expand") == "sessions($expand=segments)":
            body["sessions"] = [_session(person) for person in call.attendants.filter(joined_at__isnull=False)]
        return JsonResponse(body)


def _ended() -> QuerySet[Call]:
    return Call.objects.filter(ended_at__isnull=False, started_at__gt=timezone.now() - KEPT).select_related("meeting")


def _head(call: Call) -> dict[str, Any]:
    assert call.ended_at is not None  # noqa: S101 - only ended calls are asked for
    return {
        "id": str(call.id),
        "version": 1,
        "type": "groupCall",
        "modalities": ["audio", "video"],
        "lastModifiedDateTime": graph_time(call.ended_at),
        "startDateTime": graph_time(call.started_at),
        "endDateTime": graph_time(call.ended_at),
        "joinWebUrl": join_web_url(call.meeting),
    }


def _session(person: Attendant) -> dict[str, Any]:
    chance = random.Random(str(person.id))  # noqa: S311 - invented measures
    platform, product, network = ("windows", "teams", "wired") if person.oid else chance.choice(_OUTSIDE)
    is_poor = chance.random() < _POOR_SHARE and not person.oid
    identity: dict[str, Any] = {"user": None, "guest": {"id": str(person.id), "displayName": None, "tenantId": None}}
    if person.oid:
        identity = {"user": {"id": person.oid, "displayName": None, "tenantId": person.meeting.tenant_id}}
    media = [
        _media(
            "main-audio",
            network,
            [_audio(chance, way, is_poor=is_poor) for way in ("callerToCallee", "calleeToCaller")],
        ),
        _media("main-video", network, [_video(chance, is_poor=is_poor)]),
    ]
    return {
        "id": str(person.id),
        "modalities": ["audio", "video"],
        "isTest": False,
        "failureInfo": None,
        "caller": {
            "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
            "userAgent": {"platform": platform, "productFamily": product},
            "identity": identity,
        },
        "callee": {
            "@odata.type": "#microsoft.graph.callRecords.serviceEndpoint",
            "userAgent": {"@odata.type": "#microsoft.graph.callRecords.serviceUserAgent", "role": "mediaProcessor"},
        },
        "segments": [{"id": str(person.id), "media": media}],
    }


def _media(label: str, network: str, streams: list[dict[str, Any]]) -> dict[str, Any]:
    return {"label": label, "callerNetwork": {"connectionType": network}, "calleeNetwork": None, "streams": streams}


def _audio(chance: random.Random, way: str, *, is_poor: bool) -> dict[str, Any]:
    jitter = chance.uniform(0.031, 0.09) if is_poor else chance.uniform(0.002, 0.02)
    return {
        "streamDirection": way,
        "averageJitter": f"PT{jitter:.3f}S",
        "averageRoundTripTime": f"PT{chance.uniform(0.02, 0.2):.3f}S",
        "averagePacketLossRate": round(chance.uniform(0, 0.02), 4),
        "averageAudioDegradation": None,
        "averageRatioOfConcealedSamples": round(chance.uniform(0, 0.03), 4),
    }


def _video(chance: random.Random, *, is_poor: bool) -> dict[str, Any]:
    return {
        "streamDirection": "callerToCallee",
        "averageVideoFrameLossPercentage": None,
        "averageVideoFrameRate": round(chance.uniform(3, 6.9) if is_poor else chance.uniform(12, 30), 1),
        "postForwardErrorCorrectionPacketLossRate": None,
    }
