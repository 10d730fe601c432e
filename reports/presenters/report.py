"""What every report has in common: tabs, lead, filters, table and pages of rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic

from django.urls import reverse

from core.moments import written
from reports.presenters.address import Address
from reports.presenters.charts import Series
from reports.presenters.columns import Cell, Column, Columns, Reader, Row
from reports.presenters.meanings import REPORT_STATUSES, STATUSES, TEXTS
from reports.services.asked import Asked, Period
from reports.services.figures import Figures
from reports.services.sorting import PAGE, Order

TABS = (
    ("appointments", "Virtual appointments", "reports:usage"),
    ("duration", "Duration", "reports:duration"),
    ("ehr", "EHR", "reports:ehr"),
    ("sms", "SMS", "reports:sms"),
    ("quality", "Call quality", "reports:quality"),
)
# Longer periods are shown by week.
MOST_DAYS_APART = 120


def tabs_of(address: Address, current: str) -> list[tuple[str, str, bool]]:
    """Return the tabs, each about the same visits."""
    listed = [(label, address.elsewhere(reverse(name)), key == current) for key, label, name in TABS]
    return [*listed, ("Told to Epic", reverse("reports:differences"), current == "differences")]


def lead(asked: Asked, as_of: datetime | None) -> str:
    """Say of which days the numbers are, and up to when they know everything."""
    known = f"as of {written(as_of, style='time', zone_name=asked.zone.key)}" if as_of else "nothing is counted yet"
    return f"{days_of(asked.period)} · {known}"


def days_of(period: Period) -> str:
    """Return the first and the last day in words."""
    return " to ".join(f"{day:%b} {day.day}, {day.year}" for day in (period.first, period.last))


def places(period: Period) -> list[tuple[str, list[date]]]:
    """Return the places on the time axis: days, or weeks from Monday where days are too many."""
    days = period.days
    if len(days) <= MOST_DAYS_APART:
        return [(f"{day:%b} {day.day}", [day]) for day in days]
    weeks: dict[date, list[date]] = {}
    for day in days:
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(day)
    return [(f"{monday:%b} {monday.day}", listed) for monday, listed in weeks.items()]


def unit_of_time(period: Period) -> str:
    """Return what a place on the time axis is."""
    return "Day" if len(period.days) <= MOST_DAYS_APART else "Week of"


def together(by_day: dict[date, Figures], days: Sequence[date]) -> Figures:
    """Return the numbers of several days."""
    whole = Figures()
    for day in days:
        if day in by_day:
            whole.add(by_day[day])
    return whole


def with_toggles(series: Sequence[Series], address: Address, *, usual: Sequence[str]) -> list[Series]:
    """Return the series with those shown that were chosen, and the address that shows or hides each."""
    everything = [one.key for one in series]
    chosen = address.listed("series")
    shown = [key for key in everything if key in (chosen or usual)]
    return [
        Series(
            key=one.key,
            label=one.label,
            place=one.place,
            values=one.values,
            is_shown=one.key in shown,
            toggle_url=address.toggled("series", one.key, among=everything, now=shown),
        )
        for one in series
    ]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of a column, with the address that sorts by it."""

    label: str
    meaning: str
    is_number: bool
    url: str = ""
    direction: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Row]):
    """A kind of rows: what they are called, which columns they have and by what they are sorted.

    :ivar none: what is said where there is no row, and :ivar icon: what is drawn then.
    """

    title: str
    none: str
    icon: str
    columns: Columns[Row]
    order: Order


@dataclass(frozen=True, kw_only=True)
class RowTable(Generic[Row]):
    """The rows behind the numbers: chosen columns, sorted, a page at a time."""

    kind: Kind[Row]
    rows: Sequence[Row]
    columns: Sequence[Column[Row]]
    address: Address
    reader: Reader
    count: int

    @property
    def headings(self) -> list[Heading]:
        """The heads, each sorting the other way when it is pressed again."""
        return [self._heading(column) for column in self.columns]

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows."""
        return [[column.cell(row, self.reader) for column in self.columns] for row in self.rows]

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Every column there is, and whether it is shown."""
        shown = {column.key for column in self.columns}
        return [(column.key, column.label, column.key in shown) for column in self.kind.columns.all]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the chooser of columns carries along."""
        return self.address.hidden(but=["columns"])

    @property
    def pager(self) -> "Pager":
        """The way to other rows."""
        return Pager(address=self.address, count=self.count)

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """What the columns mean."""
        return [(column.label, column.meaning) for column in self.columns]

    def not_said(self, meanings: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return those of ``meanings`` that no column has said."""
        said = {column.label for column in self.columns}
        return [(label, meaning) for label, meaning in meanings if label not in said]

    def _heading(self, column: Column[Row]) -> Heading:
        sort = self.address.get("sort") or self.kind.order.newest_first
        is_current = sort.removeprefix("-") == column.key
        opposite = column.key if sort == f"-{column.key}" else f"-{column.key}"
        directions = {True: "descending", False: "ascending"}
        label = f"{column.label} ({self._zone_name})" if column.is_time else column.label
        return Heading(
            label=label,
            meaning=column.meaning,
            is_number=column.is_number,
            url=f"{self.address.changed(sort=opposite)}#rows" if column.can_sort else "",
            direction=directions[sort.startswith("-")] if is_current and column.can_sort else "",
        )

    @property
    def _zone_name(self) -> str:
        return datetime.now(self.reader.zone).strftime("%Z")


@dataclass(frozen=True, kw_only=True)
class Pager:
    """Which rows of how many are shown, and the way to the others."""

    address: Address
    count: int

    @property
    def words(self) -> str:
        """Which rows these are."""
        first = (self.address.page - 1) * PAGE + 1
        last = min(self.address.page * PAGE, self.count)
        return f"{first:,} to {last:,} of {self.count:,}" if last >= first else f"0 of {self.count:,}"

    @property
    def earlier(self) -> str:
        """Where the page before is, or ''."""
        page = self.address.page
        return f"{self.address.changed(page=page - 1)}#rows" if page > 1 else ""

    @property
    def later(self) -> str:
        """Where the next page is, or ''."""
        page = self.address.page
        return f"{self.address.changed(page=page + 1)}#rows" if page * PAGE < self.count else ""


def text_status_choices() -> list[tuple[str, str]]:
    """Return the statuses that texts can be looked for by: Microsoft's nine, and ours."""
    return [*REPORT_STATUSES.items(), *((str(state), label) for state, (label, *_) in TEXTS.items())]


def status_choices() -> list[tuple[str, str]]:
    """Return the statuses that visits can be looked for by."""
    return [(str(key), label) for key, (label, *_) in STATUSES.items()]
