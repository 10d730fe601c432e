"""Whether a media stream was good or poor, by the thresholds that Microsoft's Call Quality Dashboard publishes.

Source: learn.microsoft.com/microsoftteams/stream-classification-in-call-quality-dashboard (read as of 2024).
An audio stream is poor when any of its measures is beyond its threshold. A video or screen-sharing stream is judged
by the first of its measures that is there. Without any measure a stream is unclassified.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

AUDIO, VIDEO, SCREEN = "audio", "video", "screen"


class Verdict(StrEnum):
    """How a stream was."""

    GOOD = "good"
    POOR = "poor"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Beyond which a stream is poor; exactly at a threshold it is good.

    Lengths in milliseconds, losses and ratios from 0 to 1, frame loss in percent, frame rates in frames a second.
    """

    jitter_ms: float = 30.0
    round_trip_ms: float = 500.0
    packet_loss: float = 0.1
    concealed_ratio: float = 0.07
    audio_degradation: float = 1.0
    video_frame_loss: float = 50.0
    video_frame_rate: float = 7.0
    video_post_fec_loss: float = 0.15
    screen_frame_loss: float = 50.0
    screen_frame_rate: float = 2.0
    screen_post_fec_loss: float = 0.15

    @classmethod
    def of(cls, chosen: Mapping[str, float]) -> "Thresholds":
        """Return the published thresholds with those replaced that an organization chose."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: float(value) for name, value in chosen.items() if name in known})


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured of one stream; None where nothing was."""

    kind: str
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    packet_loss: float | None = None
    concealed_ratio: float | None = None
    audio_degradation: float | None = None
    frame_loss: float | None = None
    frame_rate: float | None = None
    post_fec_loss: float | None = None


@dataclass(frozen=True)
class Judgement:
    """A verdict, and which measures made a stream poor."""

    verdict: Verdict
    due_to: tuple[str, ...] = ()


def judge(measures: Measures, thresholds: Thresholds) -> Judgement:
    """Return how a stream was, and what it was poor due to."""
    return _audio(measures, thresholds) if measures.kind == AUDIO else _picture(measures, thresholds)


_AUDIO = ("audio_degradation", "round_trip_ms", "packet_loss", "jitter_ms", "concealed_ratio")


def _audio(measures: Measures, thresholds: Thresholds) -> Judgement:
    known = {name: value for name in _AUDIO if (value := getattr(measures, name)) is not None}
    if not known:
        return Judgement(Verdict.UNCLASSIFIED)
    due_to = tuple(name for name, value in known.items() if value > getattr(thresholds, name))
    return Judgement(Verdict.POOR, due_to) if due_to else Judgement(Verdict.GOOD)


def _picture(measures: Measures, thresholds: Thresholds) -> Judgement:
    kind = "video" if measures.kind == VIDEO else "screen"
    for name, is_floor in (("frame_loss", False), ("frame_rate", True), ("post_fec_loss", False)):
        value = getattr(measures, name)
        if value is not None:
            limit = getattr(thresholds, f"{kind}_{name}")
            is_poor = value < limit if is_floor else value > limit
            return Judgement(Verdict.POOR, (name,)) if is_poor else Judgement(Verdict.GOOD)
    return Judgement(Verdict.UNCLASSIFIED)
