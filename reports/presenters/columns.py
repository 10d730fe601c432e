"""Columns of the tables behind the numbers: what each is called, means and shows, on a page and in a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format

from reports.presenters.meanings import DASH
from visits.models import Visit

Plain = str | int | float | None
Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell on a page."""

    text: str
    href: str = ""
    tone: str = ""
    is_number: bool = False
    is_heading: bool = False
    is_time: bool = False
    is_roomy: bool = False


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who looks: where their times are told, and whether they may open visits and see Epic's numbers."""

    zone: ZoneInfo
    may_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Column(Generic[Row]):
    """One column. ``plain`` gives the value for files: lengths in seconds, times in UTC (ISO 8601).

    :ivar text: what a page shows instead. :ivar tone: makes it a coloured word.
    :ivar visit_of: makes it the heading of the row, which leads to this visit.
    :ivar unit: stands behind the label in files.
    """

    key: str
    label: str
    meaning: str
    plain: Callable[[Row, Reader], Plain]
    text: Callable[[Row, Reader], str] | None = None
    tone: Callable[[Row], str] | None = None
    visit_of: Callable[[Row], Visit] | None = None
    unit: str = ""
    is_number: bool = False
    is_time: bool = False
    is_roomy: bool = False
    can_sort: bool = False

    @property
    def heading(self) -> str:
        """What it is called in files."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def cell(self, row: Row, reader: Reader) -> Cell:
        """Return what a page shows."""
        visit = self.visit_of(row) if self.visit_of else None
        return Cell(
            text=self._shown(row, reader),
            href=reverse("visits:detail", args=[visit.pk]) if visit and reader.may_open else "",
            tone=self.tone(row) if self.tone else "",
            is_number=self.is_number,
            is_heading=visit is not None,
            is_time=self.is_time,
            is_roomy=self.is_roomy,
        )

    def _shown(self, row: Row, reader: Reader) -> str:
        if self.text is not None:
            return self.text(row, reader)
        value = self.plain(row, reader)
        return DASH if value in {None, ""} else str(value)


@dataclass(frozen=True)
class Columns(Generic[Row]):
    """All columns that rows of one kind may have, in their usual order."""

    all: Sequence[Column[Row]]

    @cached_property
    def by_key(self) -> Mapping[str, Column[Row]]:
        """Every column by its key."""
        return {column.key: column for column in self.all}

    def chosen(self, keys: Iterable[str], *, usual: Iterable[str]) -> list[Column[Row]]:
        """Return these columns in their usual order; the ``usual`` ones when none of them exists."""
        wanted = {key for key in keys if key in self.by_key} or set(usual)
        return [column for column in self.all if column.key in wanted]


def clock(seconds: float | None) -> str:
    """Write a length as minutes and seconds: ``4:12``; a dash for none."""
    if seconds is None:
        return DASH
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def moment(at: datetime, reader: Reader) -> str:
    """Write a time as a page does."""
    return date_format(at.astimezone(reader.zone), "M j, Y, g:i A")


def in_utc(at: datetime) -> str:
    """Write a time as a file does."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def name_of(visit: Visit, reader: Reader) -> str:
    """Return Epic's number of the visit for those who may open it, else ours."""
    return (reader.may_open and visit.session_id) or visit.reference
