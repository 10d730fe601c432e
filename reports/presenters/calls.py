"""The calls behind the numbers of the Call quality tab."""

from collections.abc import Callable, Sequence
from typing import Any

from reports.models import CallRecord
from reports.presenters.columns import Column, Columns, Plain, Reader, in_utc, moment, name_of
from reports.presenters.quality import REASONS, VERDICTS, written_name
from reports.presenters.report import Kind
from reports.quality import Verdict
from reports.services.call_figures import ORDER


def _reasons(record: CallRecord) -> str:
    found = {reason for stream in record.streams.all() for reason in stream.due_to}
    return ", ".join(label.partition(" (")[0] for reason, label in REASONS.items() if reason in found)


def _from_outside(record: CallRecord) -> str:
    outside = [stream for stream in record.streams.all() if not stream.is_staff]
    found = {written_name(name) for stream in outside for name in (stream.platform, stream.network) if name}
    return ", ".join(sorted(found))


def _column(
    key: str, label: str, meaning: str, plain: Callable[[CallRecord, Reader], Plain], **more: Any
) -> Column[CallRecord]:
    return Column(key=key, label=label, meaning=meaning, plain=plain, can_sort=key in ORDER.columns, **more)


def _count(verdict: Verdict, of: Callable[[CallRecord], int]) -> Column[CallRecord]:
    label, _, _, meaning = VERDICTS[verdict]
    return _column(str(verdict), label, meaning, lambda record, _: of(record), is_number=True)


CALL_COLUMNS = Columns[CallRecord](
    (
        _column(
            "started",
            "Started",
            "When the first person came into the call.",
            lambda record, _: in_utc(record.started_at),
            text=lambda record, reader: moment(record.started_at, reader),
            unit="UTC",
            is_time=True,
        ),
        _column(
            "ended",
            "Ended",
            "When the last person had left.",
            lambda record, _: in_utc(record.ended_at),
            text=lambda record, reader: moment(record.ended_at, reader),
            unit="UTC",
            is_time=True,
        ),
        _column(
            "visit",
            "Visit",
            "Epic's number for those who may open visits, else ours.",
            lambda record, reader: name_of(record.visit, reader),
            visit_of=lambda record: record.visit,
        ),
        _column("endpoint", "FHIR endpoint", "The Epic it came from.", lambda record, _: record.visit.endpoint.name),
        _column("department", "Department", "Epic's department.", lambda record, _: record.visit.department),
        _column("visit_type", "Visit type", "Epic's visit type.", lambda record, _: record.visit.visit_type),
        _count(Verdict.GOOD, lambda record: record.good),
        _count(Verdict.POOR, lambda record: record.poor),
        _count(Verdict.UNCLASSIFIED, lambda record: record.unclassified),
        _column(
            "reasons",
            "Poor due to",
            "Which measures were beyond their thresholds.",
            lambda record, _: _reasons(record),
            is_roomy=True,
        ),
        _column(
            "outside",
            "People from outside",
            "What they came with: platform and network.",
            lambda record, _: _from_outside(record),
            is_roomy=True,
        ),
    )
)
CALL_ROWS = Kind(title="Calls", none="No calls in this period", icon="video", columns=CALL_COLUMNS, order=ORDER)
# What the tab shows unless other columns are chosen.
USUAL: Sequence[str] = ("started", "visit", "good", "poor", "unclassified", "reasons", "outside")
