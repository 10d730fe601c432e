"""The texts behind the numbers of the SMS report."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from reports.presenters.address import Address
from reports.presenters.columns import Column, Columns, Plain, Reader, in_utc, moment, name_of
from reports.presenters.meanings import REPORT_STATUSES, TEXTS
from reports.presenters.privacy import Privacy
from reports.presenters.report import Kind
from reports.services.texts import ORDER
from sms.models import SmsMessage, Supplier

_SENT_TIME = "When it was handed to the carrier, else when it was due; its day is the one on which it was due."


def _sent_at(text: SmsMessage) -> datetime:
    return text.first_sent_at or text.accepted_at or text.due_at


def _supplier(text: SmsMessage) -> str:
    return str(Supplier(text.supplier).label) if text.supplier else ""


def _column(
    key: str, label: str, meaning: str, plain: Callable[[SmsMessage, Reader], Plain], **more: Any
) -> Column[SmsMessage]:
    return Column(key=key, label=label, meaning=meaning, plain=plain, can_sort=key in ORDER.columns, **more)


TEXT_COLUMNS = Columns[SmsMessage](
    (
        _column(
            "sent",
            "Sent time",
            _SENT_TIME,
            lambda text, _: in_utc(_sent_at(text)),
            text=lambda text, reader: moment(_sent_at(text), reader),
            unit="UTC",
            is_time=True,
        ),
        _column("sent_from", "Sent from", "Our number.", lambda text, _: str(text.number or "")),
        _column("kind", "Notification type", "What the text is about.", lambda text, _: str(text.get_kind_display())),
        _column("product", "Product type", "Always EHR.", lambda *_: "EHR"),
        _column(
            "microsoft_status",
            "Microsoft's status",
            "One of the nine statuses of Microsoft's report; empty while none of them is known.",
            lambda text, _: REPORT_STATUSES.get(text.report_status, ""),
        ),
        _column(
            "outcome",
            "Outcome",
            "What we know: a supplier that accepts a text says nothing about the phone.",
            lambda text, _: TEXTS[text.state][0],
            tone=lambda text: TEXTS[text.state][1],
        ),
        _column("supplier", "Supplier", "Who carries it.", lambda text, _: _supplier(text)),
        _column(
            "code",
            "Code",
            "The supplier's own code for what went wrong.",
            lambda text, _: text.supplier_code or text.error_code,
        ),
        _column(
            "segments",
            "Segments",
            "Parts the text was sent in; suppliers charge by part.",
            lambda text, _: text.segments,
            is_number=True,
        ),
        _column(
            "attempts",
            "Attempts",
            "How often it was handed to a supplier.",
            lambda text, _: text.attempts,
            is_number=True,
        ),
        _column("endpoint", "FHIR endpoint", "The Epic it came from.", lambda text, _: text.visit.endpoint.name),
        _column(
            "visit",
            "Visit",
            "Opens everything that happened to the visit.",
            lambda text, reader: name_of(text.visit, reader),
            visit_of=lambda text: text.visit,
        ),
    )
)
TEXT_ROWS = Kind(title="Texts", none="No texts in this period", icon="message", columns=TEXT_COLUMNS, order=ORDER)
# What the tab shows unless other columns are chosen.
USUAL: Sequence[str] = (
    "sent", "sent_from", "kind", "product", "microsoft_status", "outcome", "code", "segments", "attempts", "visit",
)  # fmt: skip


def text_meanings() -> list[tuple[str, str]]:
    """Return what the outcomes mean."""
    return [(label, meaning) for label, _, _, meaning in TEXTS.values()]


def microsoft_statuses(
    outcomes: Counter[tuple[str, str]], address: Address, privacy: Privacy
) -> list[tuple[str, str, str]]:
    """Return Microsoft's nine statuses: label, where its texts are, how many."""
    counts: Counter[str] = Counter()
    for (_, status), count in outcomes.items():
        counts[status] += count
    return [
        (label, f"{address.changed(status=status)}#rows", privacy.count(counts[status]))
        for status, label in REPORT_STATUSES.items()
    ]
