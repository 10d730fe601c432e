"""Stretches of time: put together, widened, taken away from each other. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Interval:
    """A stretch of time from ``start`` to ``end``."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time in as few stretches as possible, in order; empty ones are dropped."""
    joined: list[Interval] = []
    for interval in sorted(intervals):
        if interval.end <= interval.start:
            continue
        if joined and interval.start <= joined[-1].end:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    return joined


def subtract(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """Return the time that is in ``intervals`` and in none of ``others``."""
    left = union(intervals)
    for other in union(others):
        left = [part for interval in left for part in _without(interval, other)]
    return left


def length(intervals: Iterable[Interval]) -> timedelta:
    """Return how long ``intervals`` last together."""
    return sum((interval.length for interval in union(intervals)), timedelta(0))


def within(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """Return the time that both share, as stretches."""
    ours = union(intervals)
    return subtract(ours, subtract(ours, others))


def missing(wanted: Iterable[Interval], known: Iterable[Interval], *, tolerance: timedelta) -> list[Interval]:
    """Return the time that ``wanted`` has and ``known`` lacks; stretches up to ``tolerance`` do not count."""
    return [part for part in subtract(wanted, known) if part.length > tolerance]


def lonely(wanted: Iterable[Interval], known: Iterable[Interval], *, tolerance: timedelta) -> list[Interval]:
    """Return the stretches of ``wanted`` that have nothing of ``known`` within ``tolerance``, however short."""
    known = union(known)
    return [
        stretch
        for stretch in union(wanted)
        if not any(one.start <= stretch.end + tolerance and stretch.start <= one.end + tolerance for one in known)
    ]


def _without(interval: Interval, other: Interval) -> list[Interval]:
    parts = (
        Interval(interval.start, min(interval.end, other.start)),
        Interval(max(interval.start, other.end), interval.end),
    )
    return [part for part in parts if part.start < part.end]
