"""Charts as numbers that a template draws: stacked bars or lines over time, without a script.

The drawing is stretched to the width of the page, so it holds no words: those stand around it as text.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

STEP = 10.0  # width of one place on the time axis
GAP = 1.5
HEIGHT = 100.0
MOST_TICKS = 7


@dataclass(frozen=True, kw_only=True)
class Series:
    """One kind of number over time; ``place`` is its colour in the palette."""

    key: str
    label: str
    place: int
    values: Sequence[float | None]
    is_shown: bool = True
    toggle_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One part of a stack."""

    x: float
    y: float
    width: float
    height: float
    place: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart with its axis, legend and table.

    :ivar labels: what each place on the time axis is called.
    :ivar write: puts a value in words, with its unit.
    :ivar is_stacked: bars on top of each other; else lines.
    """

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    write: Callable[[float], str] = field(default=lambda value: f"{value:,.0f}")
    is_stacked: bool = True
    unit_of_time: str = "Day"

    @cached_property
    def shown(self) -> list[Series]:
        """The series that are drawn."""
        return [series for series in self.series if series.is_shown]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)

    @property
    def view_box(self) -> str:
        """The drawing's own measure."""
        return f"0 0 {len(self.labels) * STEP:g} {HEIGHT:g}"

    @property
    def width(self) -> float:
        """How wide the drawing is in its own measure."""
        return len(self.labels) * STEP

    @cached_property
    def top(self) -> float:
        """The value at the upper edge: a round number that nothing exceeds."""
        if self.is_stacked:
            sums = [sum(series.values[place] or 0 for series in self.shown) for place in range(len(self.labels))]
            return _round_up(max(sums, default=0))
        return _round_up(max((value or 0 for series in self.shown for value in series.values), default=0))

    @property
    def ticks(self) -> list[str]:
        """The words on the vertical axis, from the top."""
        return [self.write(self.top * share / 4) for share in (4, 3, 2, 1, 0)]

    @property
    def grid(self) -> list[float]:
        """Where the lines across are."""
        return [HEIGHT * share / 4 for share in range(5)]

    @property
    def time_ticks(self) -> list[str]:
        """Some of the labels, evenly spread."""
        count = len(self.labels)
        if count <= MOST_TICKS:
            return list(self.labels)
        every = (count - 1) / (MOST_TICKS - 1)
        return [self.labels[round(number * every)] for number in range(MOST_TICKS)]

    @property
    def bars(self) -> list[Bar]:
        """Every part of every stack that is not empty."""
        if not self.is_stacked:
            return []
        drawn: list[Bar] = []
        for place in range(len(self.labels)):
            below = 0.0
            for series in self.shown:
                height = (series.values[place] or 0) / self.top * HEIGHT
                if height:
                    below += height
                    drawn.append(
                        Bar(
                            x=place * STEP + GAP,
                            y=round(HEIGHT - below, 2),
                            width=STEP - 2 * GAP,
                            height=round(height, 2),
                            place=series.place,
                        )
                    )
        return drawn

    @property
    def lines(self) -> list[tuple[int, str]]:
        """Palette place and points of every line; a day without a value interrupts it."""
        if self.is_stacked:
            return []
        return [(series.place, points) for series in self.shown for points in self._stretches(series)]

    @property
    def tips(self) -> list[tuple[float, str]]:
        """Where each place begins, and what is said when it is pointed at."""
        return [(place * STEP, self._tip(place)) for place in range(len(self.labels))]

    @property
    def step(self) -> float:
        """How wide one place is."""
        return STEP

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The same as a table."""
        return [(label, self._texts(place)) for place, label in enumerate(self.labels)]

    def _texts(self, place: int) -> list[str]:
        values = [series.values[place] for series in self.series]
        return ["\N{EN DASH}" if value is None else self.write(value) for value in values]

    def _tip(self, place: int) -> str:
        values = [(series.label, series.values[place]) for series in self.shown]
        known = [f"{label} {self.write(value)}" for label, value in values if value]
        return f"{self.labels[place]}: {', '.join(known) or 'nothing'}"

    def _stretches(self, series: Series) -> list[str]:
        """Return the points of each unbroken stretch; one alone becomes a short dash."""
        stretches: list[list[tuple[float, float]]] = [[]]
        for place, value in enumerate(series.values):
            if value is None:
                stretches.append([])
            else:
                stretches[-1].append((place * STEP + STEP / 2, HEIGHT - value / self.top * HEIGHT))
        return [_points(stretch) for stretch in stretches if stretch]


def _points(stretch: list[tuple[float, float]]) -> str:
    if len(stretch) == 1:
        ((x, y),) = stretch
        stretch = [(x - GAP, y), (x + GAP, y)]
    return " ".join(f"{x:g},{y:.2f}" for x, y in stretch)


def _round_up(value: float) -> float:
    """Return the next of 4, 8, 12, 20, 40 … that ``value`` does not exceed, so that quarters are round."""
    if value <= 0:
        return 4
    size: float = 10.0 ** math.floor(math.log10(value / 4))
    return next(factor * 4 * size for factor in (1, 2, 3, 5, 10) if factor * 4 * size >= value)
