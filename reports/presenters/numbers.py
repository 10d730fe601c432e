"""Numbers of visits for scripts: seconds, and nothing that may not be told."""

from collections.abc import Callable, Mapping
from typing import Any

from reports.definitions import COUNTED
from reports.presenters.privacy import Privacy
from reports.services.figures import Figures, Measure

_MEDIAN, _P90 = 0.5, 0.9


def _percentile(measure: str, at: float) -> Callable[[Figures], float | None]:
    return lambda figures: figures.percentile(measure, at)


# Name → the value, and over how many visits or people it is.
_LENGTHS: Mapping[str, tuple[Callable[[Figures], float | None], Callable[[Figures], int]]] = {
    "average_duration": (lambda figures: figures.average_duration, lambda figures: figures.completed),
    "median_duration": (_percentile(Measure.DURATION, _MEDIAN), lambda figures: figures.completed),
    "p90_duration": (_percentile(Measure.DURATION, _P90), lambda figures: figures.completed),
    "average_lobby_wait": (lambda figures: figures.average_lobby_wait, lambda figures: figures.sums["lobby_waits"]),
    "median_lobby_wait": (_percentile(Measure.LOBBY_WAIT, _MEDIAN), lambda figures: figures.sums["lobby_waits"]),
    "p90_lobby_wait": (_percentile(Measure.LOBBY_WAIT, _P90), lambda figures: figures.sums["lobby_waits"]),
    "average_own_wait": (lambda figures: figures.average_own_wait, lambda figures: figures.sums["own_waits"]),
    "median_own_wait": (_percentile(Measure.OWN_WAIT, _MEDIAN), lambda figures: figures.sums["own_waits"]),
}
FIGURE_NAMES = tuple(_LENGTHS)


def as_json(figures: Figures, privacy: Privacy) -> dict[str, Any]:
    """Return the numbers by name; None where there is nothing to average, or too few to be told."""
    lengths = {name: _shown(of(figures), over(figures), privacy) for name, (of, over) in _LENGTHS.items()}
    by_status = {str(status): told(figures.by_status[status], privacy) for status in COUNTED}
    return {"visits": told(figures.visits, privacy), "by_status": by_status, **lengths}


def counts_as_json(counts: Mapping[str, int], privacy: Privacy) -> dict[str, int | None]:
    """Return counts by name; None where there are too few to be told."""
    return {name: told(count, privacy) for name, count in counts.items()}


def told(count: int, privacy: Privacy) -> int | None:
    """Return the count; None where it is too small to be told."""
    return None if privacy.hides(count) else count


def _shown(value: float | None, over: int, privacy: Privacy) -> float | None:
    return None if value is None or privacy.hides(over) else round(value, 1)
