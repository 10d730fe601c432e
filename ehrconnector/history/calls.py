"""Invented call records and device tests: phones on mobile networks have more trouble, and tests foretell some."""

import random
import uuid
from dataclasses import dataclass
from datetime import timedelta

from ehrconnector.history.plot import Plot
from launch.models import DeviceTest, LaunchAttempt
from meetings.models import Meeting
from reports.models import CallRecord, CallStream
from reports.quality import AUDIO, VIDEO, Measures, Thresholds, Verdict, judge
from visits.models import Visit

# Platform, product, network, and how often such a person has trouble.
_WAYS = (
    ("iOS", "Safari", "wifi", 0.08),
    ("iOS", "Safari", "mobile", 0.2),
    ("android", "Chrome", "mobile", 0.24),
    ("android", "Chrome", "wifi", 0.1),
    ("windows", "Edge", "wired", 0.03),
    ("windows", "Chrome", "wifi", 0.07),
    ("macOS", "Safari", "wifi", 0.06),
)
_FORETOLD, _FALSE_ALARM, _TESTED, _NO_PICTURE = 0.6, 0.06, 0.7, 0.03
_STAFF = ("windows", "teams", "wired")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call record with its streams, and the device test before it with the launch it belongs to."""

    record: CallRecord
    streams: list[CallStream]
    launch: LaunchAttempt | None
    test: DeviceTest | None


def call_of(visit: Visit, plot: Plot, meeting: Meeting) -> Call:
    """Return what Teams and the patient's browser would have said of a completed visit."""
    chance = random.Random(f"call {plot.id}")  # noqa: S311 - invented history
    platform, product, network, trouble = chance.choice(_WAYS)
    has_trouble = chance.random() < trouble
    record = CallRecord(
        organization_id=visit.organization_id,
        visit=visit,
        graph_id=uuid.uuid5(plot.id, "call"),
        version=2,
        started_at=meeting.started_at or meeting.created_at,
        ended_at=meeting.ended_at or meeting.created_at,
    )
    streams = []
    for kind in (AUDIO, VIDEO):
        streams.append(_stream(record, chance, kind, (platform, product, network), is_poor=has_trouble))
        streams.append(_stream(record, chance, kind, _STAFF, is_poor=False))
    verdicts = [stream.verdict for stream in streams]
    record.good, record.poor = verdicts.count(Verdict.GOOD), verdicts.count(Verdict.POOR)
    record.unclassified = verdicts.count(Verdict.UNCLASSIFIED)
    if chance.random() > _TESTED:
        return Call(record=record, streams=streams, launch=None, test=None)
    launch = _launch(visit, plot)
    test = _test(visit, plot, launch, chance, browser=product, platform=platform, has_trouble=has_trouble)
    return Call(record=record, streams=streams, launch=launch, test=test)


def _stream(
    record: CallRecord, chance: random.Random, kind: str, way: tuple[str, str, str], *, is_poor: bool
) -> CallStream:
    measures = _audio(chance, is_poor=is_poor) if kind == AUDIO else _video(chance, is_poor=is_poor)
    judgement = judge(Measures(kind=kind, **measures), Thresholds())
    platform, product, network = way
    return CallStream(
        record=record,
        kind=kind,
        is_staff=way == _STAFF,
        platform=platform,
        product=product,
        network=network,
        measures=measures,
        verdict=judgement.verdict,
        due_to=list(judgement.due_to),
    )


def _audio(chance: random.Random, *, is_poor: bool) -> dict[str, float]:
    measures = {
        "jitter_ms": round(chance.uniform(2, 24), 1),
        "round_trip_ms": round(chance.uniform(20, 260), 1),
        "packet_loss": round(chance.uniform(0, 0.03), 4),
    }
    if is_poor:
        worse = {"jitter_ms": 55.0, "round_trip_ms": 720.0, "packet_loss": 0.14}
        reason = chance.choices(list(worse), (6, 3, 2))[0]
        measures[reason] = worse[reason]
    return measures


def _video(chance: random.Random, *, is_poor: bool) -> dict[str, float]:
    if chance.random() < _NO_PICTURE:
        return {}
    return {"frame_rate": round(chance.uniform(3, 9) if is_poor else chance.uniform(14, 30), 1)}


def _launch(visit: Visit, plot: Plot) -> LaunchAttempt:
    return LaunchAttempt(
        id=uuid.uuid5(plot.id, "patient's launch"),
        organization_id=visit.organization_id,
        endpoint_id=visit.endpoint_id,
        visit=visit,
        audience=LaunchAttempt.Audience.TEXT,
        role="patient",
        state=LaunchAttempt.State.JOINED,
        reference=f"H{plot.session_id}"[:16],
        finished_at=plot.starts_at - timedelta(minutes=6),
    )


def _test(
    visit: Visit,
    plot: Plot,
    launch: LaunchAttempt,
    chance: random.Random,
    *,
    browser: str,
    platform: str,
    has_trouble: bool,
) -> DeviceTest:
    is_warned = chance.random() < (_FORETOLD if has_trouble else _FALSE_ALARM)
    results = dict.fromkeys(DeviceTest.CHECKS, DeviceTest.Result.PASSED)
    if is_warned:
        results[chance.choice(("connection", "call"))] = DeviceTest.Result.POOR
    return DeviceTest(
        id=uuid.uuid5(plot.id, "device test"),
        organization_id=visit.organization_id,
        visit=visit,
        attempt=launch,
        browser=browser[:10],
        platform=platform[:10],
        created_at=plot.starts_at - timedelta(minutes=7),
        connection=results["connection"],
        camera=results["camera"],
        microphone=results["microphone"],
        speaker=results["speaker"],
        call=results["call"],
    )
