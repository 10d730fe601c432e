"""Reports as files: headings and rows, times in UTC (ISO 8601), lengths in seconds."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from reports.models import CallRecord, Export
from reports.presenters.columns import COLUMNS, Column, Reader, chosen
from reports.presenters.meanings import REPORT_STATUSES, TEXTS
from reports.presenters.quality import from_outside, reasons_of
from reports.services import call_figures, visits
from reports.services.asked import Asked
from reports.services.texts import texts_of
from sms.models import SmsMessage

_UNITS = {"start": "UTC", "lobby_wait": "seconds", "own_wait": "seconds", "duration": "seconds"}
_TEXT_HEADER = (
    "Sent time (UTC)", "Sent from", "Notification type", "Product type", "Microsoft's status", "Outcome", "Supplier",
    "Code", "Segments", "Attempts", "FHIR endpoint", "Visit",
)  # fmt: skip
_CALL_HEADER = (
    "Started (UTC)", "Ended (UTC)", "Visit", "FHIR endpoint", "Department", "Visit type", "Good streams",
    "Poor streams", "Unclassified streams", "Poor due to", "People from outside",
)  # fmt: skip
_CHUNK = 2_000


def header_of(subject: str, columns: Sequence[str]) -> list[str]:
    """Return the headings of a file."""
    if subject == Export.Subject.TEXTS:
        return list(_TEXT_HEADER)
    if subject == Export.Subject.CALLS:
        return list(_CALL_HEADER)
    return [_heading(column.key, column.label) for column in _columns(columns)]


def rows_of(subject: str, asked: Asked, columns: Sequence[str], *, names_visits: bool) -> Iterator[Sequence[object]]:
    """Yield the rows of a file, newest first.

    :param names_visits: whether Epic's numbers of visits stand in it, or ours.
    """
    if subject == Export.Subject.TEXTS:
        for text in texts_of(asked).order_by("-due_at", "pk").iterator(chunk_size=_CHUNK):
            yield _text_row(text, names_visits=names_visits)
    elif subject == Export.Subject.CALLS:
        for record in call_figures.listed(asked).iterator(chunk_size=_CHUNK):
            yield _call_row(record, names_visits=names_visits)
    else:
        reader = Reader(zone=ZoneInfo("UTC"), may_open=names_visits)
        wanted = _columns(columns)
        for row in visits.all_of(asked):
            yield [column.plain(row, reader) for column in wanted]


def _columns(keys: Sequence[str]) -> list[Column]:
    return chosen(keys or COLUMNS, tab="appointments")


def _heading(key: str, label: str) -> str:
    return f"{label} ({_UNITS[key]})" if key in _UNITS else label


def _text_row(text: SmsMessage, *, names_visits: bool) -> Sequence[object]:
    sent_at = text.first_sent_at or text.accepted_at or text.due_at
    visit = text.visit
    return (
        _time(sent_at), str(text.number or ""), text.get_kind_display(), "EHR",
        REPORT_STATUSES.get(text.report_status, ""), TEXTS[text.state][0], text.supplier,
        text.supplier_code or text.error_code, text.segments, text.attempts, visit.endpoint.name,
        (names_visits and visit.session_id) or visit.reference,
    )  # fmt: skip


def _call_row(record: CallRecord, *, names_visits: bool) -> Sequence[object]:
    visit = record.visit
    return (
        _time(record.started_at), _time(record.ended_at), (names_visits and visit.session_id) or visit.reference,
        visit.endpoint.name, visit.department, visit.visit_type, record.good, record.poor, record.unclassified,
        ", ".join(reasons_of(record)), ", ".join(from_outside(record)),
    )  # fmt: skip


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
