"""The texts behind the numbers of the SMS report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.formats import date_format

from reports.presenters.address import Address
from reports.presenters.columns import Reader
from reports.presenters.meanings import DASH, REPORT_STATUSES, TEXTS
from reports.presenters.privacy import Privacy
from reports.presenters.report import Pager
from sms.models import SmsMessage, Supplier

_SENT_TIME = "When it was handed to the carrier, else when it was due; its day is the one on which it was due."
HEADS = (
    ("Sent time", _SENT_TIME, False),
    ("Sent from", "Our number.", False),
    ("Notification type", "What the text is about.", False),
    ("Product type", "Always EHR.", False),
    ("Microsoft's status", "One of the nine statuses of Microsoft's report; empty while none of them is known.", False),
    ("Outcome", "What we know: a supplier that accepts a text says nothing about the phone.", False),
    ("Supplier", "Who carries it.", False),
    ("Code", "The supplier's own code for what went wrong.", False),
    ("Segments", "Parts the text was sent in; suppliers charge by part.", True),
    ("Attempts", "How often it was handed to a supplier.", True),
    ("Visit", "Opens everything that happened to the visit.", False),
)


@dataclass(frozen=True, kw_only=True)
class TextRow:
    """One text in words."""

    text: SmsMessage
    reader: Reader

    @property
    def sent(self) -> str:
        """When it was sent."""
        return date_format(_sent_at(self.text).astimezone(self.reader.zone), "M j, Y, g:i A")

    @property
    def sent_from(self) -> str:
        """The number it was sent from."""
        return str(self.text.number or DASH)

    @property
    def kind(self) -> str:
        """What it is about."""
        return str(self.text.get_kind_display())

    @property
    def microsoft_status(self) -> str:
        """Microsoft's status."""
        return REPORT_STATUSES.get(self.text.report_status, DASH)

    @property
    def outcome(self) -> str:
        """What we know of it."""
        return TEXTS[self.text.state][0]

    @property
    def tone(self) -> str:
        """The tone of :attr:`outcome`."""
        return TEXTS[self.text.state][1]

    @property
    def supplier(self) -> str:
        """Who carries it."""
        return str(Supplier(self.text.supplier).label) if self.text.supplier else DASH

    @property
    def code(self) -> str:
        """The supplier's code, else ours."""
        return self.text.supplier_code or self.text.error_code or DASH

    @property
    def visit_name(self) -> str:
        """The visit's number."""
        visit = self.text.visit
        return (self.reader.may_open and visit.session_id) or visit.reference

    @property
    def visit_url(self) -> str:
        """Where the visit's timeline is; '' for who may not see it."""
        return reverse("visits:detail", args=[self.text.visit_id]) if self.reader.may_open else ""


def _sent_at(text: SmsMessage) -> datetime:
    return text.first_sent_at or text.accepted_at or text.due_at


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


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A page of texts."""

    rows: Sequence[SmsMessage]
    outcomes: Counter[tuple[str, str]]
    address: Address
    reader: Reader

    @property
    def heads(self) -> Sequence[tuple[str, str, bool]]:
        """Name, meaning and whether it is a number, of every column."""
        return HEADS

    @property
    def texts(self) -> list[TextRow]:
        """The texts of this page."""
        return [TextRow(text=text, reader=self.reader) for text in self.rows]

    @property
    def pager(self) -> Pager:
        """The way to other texts."""
        return Pager(address=self.address, count=self.outcomes.total())

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """What columns and outcomes mean."""
        outcomes = [(label, meaning) for label, _, _, meaning in TEXTS.values()]
        return [(label, meaning) for label, meaning, _ in HEADS] + outcomes
