"""The columns of the table of visits: what each is called, means and shows, on the page and in a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format

from meetings.models import Meeting
from reports.definitions import MicrosoftStatus
from reports.presenters.meanings import DASH, FIGURES, LABELS, MICROSOFT, STATUSES
from reports.services.visits import SORTS, ReportedVisit

Plain = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell on a page."""

    text: str
    href: str = ""
    tone: str = ""
    is_number: bool = False
    is_heading: bool = False
    is_time: bool = False


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who looks: where their times are told, and whether they may open visits and see Epic's numbers."""

    zone: ZoneInfo
    may_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. ``plain`` gives the value for files: lengths in seconds, times in UTC (ISO 8601)."""

    key: str
    label: str
    meaning: str
    plain: Callable[[ReportedVisit, Reader], Plain]
    text: Callable[[ReportedVisit, Reader], str] | None = None
    is_number: bool = False

    @property
    def can_sort(self) -> bool:
        """Whether rows can be put in its order."""
        return self.key in SORTS

    def cell(self, row: ReportedVisit, reader: Reader) -> Cell:
        """Return what a page shows."""
        if self.text is not None:
            shown = self.text(row, reader)
        else:
            value = self.plain(row, reader)
            shown = DASH if value in {None, ""} else str(value)
        is_visit = self.key == "visit"
        return Cell(
            text=shown,
            href=reverse("visits:detail", args=[row.fact.visit_id]) if is_visit and reader.may_open else "",
            tone=STATUSES[row.fact.status][1] if self.key == "status" else "",
            is_number=self.is_number,
            is_heading=is_visit,
            is_time=self.key == "start",
        )


def clock(seconds: float | None) -> str:
    """Write a length as minutes and seconds: ``4:12``; a dash for none."""
    if seconds is None:
        return DASH
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def _own_wait(row: ReportedVisit) -> float | None:
    waits = row.fact.waits
    return round(sum(waits) / len(waits), 1) if waits else None


def _meeting(row: ReportedVisit) -> str:
    meeting: Meeting | None = getattr(row.fact.visit, "meeting", None)
    return meeting.external_id if meeting else ""


def _limit(row: ReportedVisit) -> str:
    return {True: "Yes", False: "No", None: ""}[row.is_within_limit]


def _name(row: ReportedVisit, reader: Reader) -> str:
    visit = row.fact.visit
    return (reader.may_open and visit.session_id) or visit.reference


def _when(row: ReportedVisit, reader: Reader) -> str:
    return date_format(row.fact.starts_at.astimezone(reader.zone), "M j, Y, g:i A")


def _microsoft(row: ReportedVisit) -> str:
    return MICROSOFT[MicrosoftStatus(row.fact.microsoft_status)]


def _column(key: str, plain: Callable[[ReportedVisit, Reader], Plain], **more: object) -> Column:
    label, meaning = more.pop("label", LABELS.get(key, "")), more.pop("meaning", FIGURES.get(key, ""))
    return Column(key=key, label=str(label), meaning=str(meaning), plain=plain, **more)  # type: ignore[arg-type]


_ALL = (
    _column("start", lambda row, _: row.fact.starts_at.astimezone(UTC).isoformat(timespec="seconds"), text=_when),
    _column("visit", _name, label="Visit", meaning="Epic's number for those who may open visits, else ours."),
    _column("meeting", lambda row, _: _meeting(row), label="Meeting ID", meaning="External id of the Teams meeting."),
    _column("endpoint", lambda row, _: row.fact.endpoint.name, label="FHIR endpoint", meaning="The Epic it came from."),
    _column("product", lambda *_: "EHR", label="Product type", meaning="Always EHR; Microsoft also has Bookings."),
    _column(
        "status",
        lambda row, _: STATUSES[row.fact.status][0],
        label="Status",
        meaning="How the visit went; see the list of statuses.",
    ),
    _column(
        "microsoft_status",
        lambda row, _: _microsoft(row),
        label="Microsoft's status",
        meaning="What Microsoft's usage report says of such a visit.",
    ),
    _column("department", lambda row, _: row.fact.department, label="Department", meaning="Epic's department."),
    _column("visit_type", lambda row, _: row.fact.visit_type, label="Visit type", meaning="Epic's visit type."),
    _column("provider", lambda row, _: row.provider),
    _column(
        "lobby_wait", lambda row, _: row.fact.lobby_wait, text=lambda row, _: clock(row.fact.lobby_wait), is_number=True
    ),
    _column("own_wait", lambda row, _: _own_wait(row), text=lambda row, _: clock(_own_wait(row)), is_number=True),
    _column("gave_up", lambda row, _: row.fact.gave_up, is_number=True),
    _column("duration", lambda row, _: row.fact.duration, text=lambda row, _: clock(row.fact.duration), is_number=True),
    _column("peak", lambda row, _: row.fact.peak, is_number=True),
    _column("total", lambda row, _: row.fact.total, is_number=True),
    _column("texts_sent", lambda row, _: row.fact.texts_sent, is_number=True),
    _column("texts_delivered", lambda row, _: row.fact.texts_delivered, is_number=True),
    _column("within_limit", lambda row, _: _limit(row)),
)
COLUMNS: Mapping[str, Column] = {column.key: column for column in _ALL}

DEFAULTS: Mapping[str, Sequence[str]] = {
    "appointments": ("start", "visit", "status", "department", "visit_type", "peak", "lobby_wait", "duration"),
    "duration": ("start", "visit", "status", "lobby_wait", "own_wait", "gave_up", "duration", "peak", "total"),
    "ehr": ("start", "visit", "endpoint", "department", "visit_type", "provider", "status", "total", "within_limit"),
}


def chosen(keys: Iterable[str], *, tab: str) -> list[Column]:
    """Return these columns in their usual order; the tab's own when none of them exists."""
    wanted = {key for key in keys if key in COLUMNS} or set(DEFAULTS[tab])
    return [column for column in _ALL if column.key in wanted]
