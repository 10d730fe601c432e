"""Call records: how picture and sound were in every call of the tenant, kept by Microsoft for 30 days.

API: Graph v1.0 ``GET /communications/callRecords?$filter=startDateTime ge … and startDateTime lt …``,
``GET /communications/callRecords/{id}`` and the same with ``?$expand=sessions($expand=segments)``, in pages
(``@odata.nextLink``, ``sessions@odata.nextLink``). Permission CallRecords.Read.All, no access policy.
Documentation: learn.microsoft.com/graph/api/callrecords-cloudcommunications-list-callrecords,
…/callrecords-callrecord-get, …/resources/callrecords-mediastream. Checked: 2026-11-29.
``organizer`` and ``participants`` return nothing since June 2026; neither they nor their ``_v2`` are needed here: a
record is known by ``joinWebUrl``, a person by the kind of identity at their end of a session.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from core.errors import UpstreamRejected
from core.http import json_object
from meetings.providers.base import CallRecordHead, CallStreamMeasures
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.graph import PREFER_NEW_MEMBERS, SYSTEM, GraphCall, call, segment

PERMISSION = "CallRecords.Read.All"
_PATH = "/v1.0/communications/callRecords"
MOST_PAGES = 2_000
_KINDS = {"main-audio": "audio", "main-video": "video", "applicationsharing-video": "screen"}
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_NUMBERS = {
    "averagePacketLossRate": "packet_loss",
    "averageRatioOfConcealedSamples": "concealed_ratio",
    "averageAudioDegradation": "audio_degradation",
    "averageVideoFrameLossPercentage": "frame_loss",
    "averageVideoFrameRate": "frame_rate",
    "postForwardErrorCorrectionPacketLossRate": "post_fec_loss",
}
_DURATIONS = {"averageJitter": "jitter_ms", "averageRoundTripTime": "round_trip_ms"}


def call_records(
    connection: TeamsConnection, session: requests.Session, *, since: datetime, until: datetime
) -> Iterator[CallRecordHead]:
    """Yield the records of calls that started in ``[since, until)`` and have a meeting's address.

    :raises UpstreamRejected: ``graph.unreadable_call_record`` when an answer is not as documented.
    """
    wanted = f"startDateTime ge {_written(since)} and startDateTime lt {_written(until)}"
    path = f"{_PATH}?$filter={quote(wanted, safe='')}"
    for page in _pages(connection, session, path):
        try:
            heads = [_head(body) for body in page["value"] if body.get("joinWebUrl")]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _unreadable(error) from error
        yield from heads


def call_record(connection: TeamsConnection, session: requests.Session, record_id: str) -> CallRecordHead | None:
    """Return the head of one call's record; None for a call of no meeting.

    :raises UpstreamRejected: ``graph.rejected`` with status 404 when Graph has no such record, or not yet;
        ``graph.unreadable_call_record`` when the answer is not as documented.
    """
    request = GraphCall(method="GET", path=f"{_PATH}/{segment(record_id)}", permission=PERMISSION)
    body = json_object(call(connection, session, request), system=SYSTEM)
    try:
        return _head(body) if body.get("joinWebUrl") else None
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def call_streams(connection: TeamsConnection, session: requests.Session, record_id: str) -> list[CallStreamMeasures]:
    """Return what was measured of every stream of one call.

    :raises UpstreamRejected: ``graph.unreadable_call_record`` when an answer is not as documented.
    """
    path = f"{_PATH}/{segment(record_id)}?$expand=sessions($expand=segments)"
    found: list[CallStreamMeasures] = []
    for page in _pages(connection, session, path):
        try:
            for one in page.get("sessions") or page.get("value") or []:
                found += _session_streams(one)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _unreadable(error) from error
    return found


def _pages(connection: TeamsConnection, session: requests.Session, path: str) -> Iterator[dict[str, Any]]:
    for _ in range(MOST_PAGES):
        request = GraphCall(method="GET", path=path, permission=PERMISSION, headers=PREFER_NEW_MEMBERS)
        page = json_object(call(connection, session, request), system=SYSTEM)
        yield page
        following = str(page.get("@odata.nextLink") or page.get("sessions@odata.nextLink") or "")
        if not following:
            return
        if not following.startswith(f"{connection.graph_base_url}/"):
            raise UpstreamRejected("graph.unreadable_call_record", detail="next page elsewhere")
        path = following.removeprefix(connection.graph_base_url)


def _head(body: dict[str, Any]) -> CallRecordHead:
    return CallRecordHead(
        id=str(body["id"]),
        version=int(body["version"]),
        join_web_url=str(body["joinWebUrl"]),
        started_at=_time(body["startDateTime"]),
        ended_at=_time(body["endDateTime"]),
    )


def _session_streams(body: dict[str, Any]) -> Iterator[CallStreamMeasures]:
    """Yield the streams of a session between one person and Teams; the person's end says what they came with."""
    side = "caller" if _is_person(body.get("caller")) else "callee"
    end = body.get(side) or {}
    agent = end.get("userAgent") or {}
    for part in body.get("segments") or []:
        for media in part.get("media") or []:
            kind = _KINDS.get(str(media.get("label")))
            network = media.get(f"{side}Network") or {}
            for stream in media.get("streams") or []:
                if kind:
                    yield CallStreamMeasures(
                        kind=kind,
                        is_staff=bool(_identity(end).get("user")),
                        platform=str(agent.get("platform") or "")[:20],
                        product=str(agent.get("productFamily") or "")[:40],
                        network=str(network.get("connectionType") or "")[:20],
                        measures=_measures(stream),
                    )


def _is_person(end: dict[str, Any] | None) -> bool:
    return bool(_identity(end or {}))


def _identity(end: dict[str, Any]) -> dict[str, Any]:
    """Return who is at this end, by kind of identity; services have none."""
    found = end.get("associatedIdentity") or end.get("identity") or {}
    if "id" in found and not isinstance(found.get("id"), dict):  # associatedIdentity may be the user itself
        found = {"user": found} if found.get("tenantId") else {"guest": found}
    return {kind: value for kind, value in found.items() if isinstance(value, dict)}


def _measures(stream: dict[str, Any]) -> dict[str, float]:
    numbers = {ours: float(stream[theirs]) for theirs, ours in _NUMBERS.items() if stream.get(theirs) is not None}
    lengths = {ours: _milliseconds(stream[theirs]) for theirs, ours in _DURATIONS.items() if stream.get(theirs)}
    return {**numbers, **lengths}


def _milliseconds(text: str) -> float:
    """Return an ISO 8601 duration such as ``PT0.016S`` in milliseconds."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    sign, days, hours, minutes, seconds = found.groups()
    whole = float(days or 0) * 86_400 + float(hours or 0) * 3_600 + float(minutes or 0) * 60 + float(seconds or 0)
    return round(whole * 1000, 3) * (-1 if sign else 1)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unreadable(error: Exception) -> UpstreamRejected:
    return UpstreamRejected("graph.unreadable_call_record", detail=type(error).__name__)
