"""The columns of the table of visits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meetings.models import Meeting
from reports.definitions import MicrosoftStatus
from reports.presenters.columns import Column, Columns, Plain, Reader, clock, in_utc, moment, name_of
from reports.presenters.meanings import FIGURES, LABELS, MICROSOFT, STATUSES
from reports.presenters.report import Kind
from reports.services.visits import ORDER, ReportedVisit


def _own_wait(row: ReportedVisit) -> float | None:
    waits = row.fact.waits
    return round(sum(waits) / len(waits), 1) if waits else None


def _meeting(row: ReportedVisit) -> str:
    meeting: Meeting | None = getattr(row.fact.visit, "meeting", None)
    return meeting.external_id if meeting else ""


def _limit(row: ReportedVisit) -> str:
    return {True: "Yes", False: "No", None: ""}[row.is_within_limit]


def _microsoft(row: ReportedVisit) -> str:
    return MICROSOFT[MicrosoftStatus(row.fact.microsoft_status)]


def _column(key: str, plain: Callable[[ReportedVisit, Reader], Plain], **more: Any) -> Column[ReportedVisit]:
    label, meaning = more.pop("label", LABELS.get(key, "")), more.pop("meaning", FIGURES.get(key, ""))
    return Column(key=key, label=label, meaning=meaning, plain=plain, can_sort=key in ORDER.columns, **more)


def _length(key: str, of: Callable[[ReportedVisit], float | None]) -> Column[ReportedVisit]:
    """Return a column of lengths."""
    return _column(key, lambda row, _: of(row), text=lambda row, _: clock(of(row)), unit="seconds", is_number=True)


VISITS = Columns[ReportedVisit](
    (
        _column(
            "start",
            lambda row, _: in_utc(row.fact.starts_at),
            text=lambda row, reader: moment(row.fact.starts_at, reader),
            unit="UTC",
            is_time=True,
        ),
        _column(
            "visit",
            lambda row, reader: name_of(row.fact.visit, reader),
            visit_of=lambda row: row.fact.visit,
            label="Visit",
            meaning="Epic's number for those who may open visits, else ours.",
        ),
        _column(
            "meeting", lambda row, _: _meeting(row), label="Meeting ID", meaning="External id of the Teams meeting."
        ),
        _column(
            "endpoint", lambda row, _: row.fact.endpoint.name, label="FHIR endpoint", meaning="The Epic it came from."
        ),
        _column("product", lambda *_: "EHR", label="Product type", meaning="Always EHR; Microsoft also has Bookings."),
        _column(
            "status",
            lambda row, _: STATUSES[row.fact.status][0],
            tone=lambda row: STATUSES[row.fact.status][1],
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
        _length("lobby_wait", lambda row: row.fact.lobby_wait),
        _length("own_wait", _own_wait),
        _column("gave_up", lambda row, _: row.fact.gave_up, is_number=True),
        _length("duration", lambda row: row.fact.duration),
        _column("peak", lambda row, _: row.fact.peak, is_number=True),
        _column("total", lambda row, _: row.fact.total, is_number=True),
        _column("texts_sent", lambda row, _: row.fact.texts_sent, is_number=True),
        _column("texts_delivered", lambda row, _: row.fact.texts_delivered, is_number=True),
        _column("within_limit", lambda row, _: _limit(row)),
    )
)

# What each tab shows unless other columns are chosen.
USUAL: Mapping[str, Sequence[str]] = {
    "appointments": ("start", "visit", "status", "department", "visit_type", "peak", "lobby_wait", "duration"),
    "duration": ("start", "visit", "status", "lobby_wait", "own_wait", "gave_up", "duration", "peak", "total"),
    "ehr": ("start", "visit", "endpoint", "department", "visit_type", "provider", "status", "total", "within_limit"),
}
VISIT_ROWS = Kind(title="Visits", none="No visits in this period", icon="chart", columns=VISITS, order=ORDER)
