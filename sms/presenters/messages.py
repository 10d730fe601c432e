"""Texts, numbers and opt-outs as the Messages pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from config_portal.models import FhirEndpoint
from core.moments import written
from sms.models import DeliveryEvent, OptOut, SmsConfiguration, SmsMessage
from sms.presenters import words
from sms.presenters.numbers import NumberRow
from sms.services.planning import approved_choices_of
from sms.services.truth import OUTCOMES, NumberHealth

State = SmsMessage.State
DASH = "\N{EN DASH}"
_NOT_DELIVERED = "Not delivered - "

OUTCOME_WORDS = {
    "delivered": ("Delivered", "ok", "The phone has it, says its carrier."),
    "accepted": ("Accepted", "info", "The supplier took it. Nobody has said yet whether the phone has it."),
    "undelivered": ("Not delivered", "bad", "The supplier or the carrier gave up; the reason stands beside it."),
    "unknown": ("Unknown", "warn", "The supplier did not answer. It is asked; the text is never sent blindly again."),
    "waiting": ("Waiting", "neutral", "Due later, or held back for the reason beside it."),
    "not_sent": ("Not sent", "neutral", "It would have been wrong or too late: moved, cancelled, STOP, no consent."),
}
_OUTCOME_OF = {state: name for name, states in OUTCOMES.items() for state in states}


@dataclass(frozen=True)
class TextRow:
    """One text."""

    text: SmsMessage
    zone: str

    @property
    def url(self) -> str:
        """Where its page is."""
        return reverse("messages:text", args=[self.text.pk])

    @property
    def visit_url(self) -> str:
        """Where the visit's timeline is."""
        return reverse("visits:detail", args=[self.text.visit_id])

    @property
    def visit_number(self) -> str:
        """Epic's number of the visit."""
        return str(self.text.visit.session_id)

    @property
    def at(self) -> datetime:
        """When it went out, or is due."""
        return self.text.first_sent_at or self.text.due_at

    @property
    def kind(self) -> str:
        """What it is about."""
        kind = str(self.text.get_kind_display())
        if self.text.kind == SmsMessage.Kind.REMINDER:
            kind = f"{kind}, {words.interval(self.text.offset_minutes)} before"
        return f"{kind}, sent again" if self.text.copy else kind

    @property
    def to(self) -> str:
        """To whom, as far as staff may know."""
        return f"number ending {self.text.number_ending}" if self.text.number_ending else DASH

    @property
    def sender(self) -> str:
        """From which number, and whether that was the second way."""
        if self.text.number is None:
            return DASH
        second = " (second number)" if self.text.route == SmsMessage.SECOND_ROUTE else ""
        return f"{words.number(self.text.number.number)}{second}"

    @property
    def outcome(self) -> str:
        """What became of it, in a word."""
        return OUTCOME_WORDS[_OUTCOME_OF[self.text.state]][0]

    @property
    def outcome_tone(self) -> str:
        """The tone of :attr:`outcome`."""
        return OUTCOME_WORDS[_OUTCOME_OF[self.text.state]][1]

    @property
    def why(self) -> str:
        """The reason, where there is one."""
        if self.text.state in OUTCOMES["undelivered"]:
            status = str(self.text.get_report_status_display()).removeprefix(_NOT_DELIVERED).capitalize()
            known = status or words.reason(self.text.error_code)
            return f"{known} ({self.text.supplier_code})" if self.text.supplier_code else known
        if self.text.state in OUTCOMES["delivered"] or not self.text.error_code:
            return ""
        return words.reason(self.text.error_code)

    @property
    def took(self) -> str:
        """How long the way to the phone was."""
        if self.text.delivered_at is None or self.text.accepted_at is None:
            return DASH
        return duration(max((self.text.delivered_at - self.text.accepted_at).total_seconds(), 0))

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is known about it."""
        facts = [
            ("To", self.to),
            ("From", self.sender),
            ("Supplier", str(self.text.get_supplier_display()) if self.text.supplier else DASH),
            ("Segments", str(self.text.segments or DASH)),
            ("Attempts", str(self.text.attempts)),
            ("Microsoft's report calls it", str(self.text.get_report_status_display()) or DASH),
        ]
        if self.text.resend_reason:
            facts.append(("Sent again because", self.text.resend_reason))
        return facts


@dataclass(frozen=True)
class HistoryEntry:
    """A line of a text's history, as the timeline component takes it."""

    at: datetime
    zone: str
    title: str
    tone: str
    detail: str = ""
    outcome: str = ""

    @property
    def time_text(self) -> str:
        """The local time."""
        return written(self.at, style="day", zone_name=self.zone)

    @property
    def iso(self) -> str:
        """The instant, for machines."""
        return self.at.isoformat()

    @property
    def outcome_tone(self) -> str:
        """The tone of the outcome."""
        return self.tone


_REPORTED = {
    "sent": ("Handed to the carrier", "info"),
    "delivered": ("Delivered", "ok"),
    "undelivered": ("Not delivered", "bad"),
    "opted_out": ("Blocked: the patient replied STOP", "bad"),
}


def history(text: SmsMessage, events: list[DeliveryEvent], *, zone: str) -> list[HistoryEntry]:
    """Return what happened to a text, in order."""
    entries = [HistoryEntry(text.created_at, zone, "Planned", "neutral")]
    if text.first_sent_at is None:
        entries.append(HistoryEntry(text.due_at, zone, "Due", "next" if text.state == State.PENDING else "neutral"))
    else:
        entries.append(HistoryEntry(text.first_sent_at, zone, "Given to the supplier", "info"))
    for event in events:
        title, tone = _REPORTED.get(event.state, ("The supplier reported", "neutral"))
        entries.append(HistoryEntry(event.at, zone, title, tone, outcome=f"Code {event.code}" if event.code else ""))
    if text.finished_at and text.state in OUTCOMES["not_sent"]:
        title = str(State(text.state).label)
        entries.append(HistoryEntry(text.finished_at, zone, title, "neutral", detail=words.reason(text.error_code)))
    return sorted(entries, key=lambda entry: entry.at)


@dataclass(frozen=True)
class OutcomeStat:
    """How many texts had one outcome, with a link to them."""

    name: str
    count: int
    total: int
    is_current: bool
    query: Mapping[str, str]

    @property
    def label(self) -> str:
        """The outcome."""
        return OUTCOME_WORDS[self.name][0]

    @property
    def tone(self) -> str:
        """Its tone, where there is something to look at."""
        return OUTCOME_WORDS[self.name][1] if self.count and self.name in ("undelivered", "unknown") else ""

    @property
    def note(self) -> str:
        """Its share of all, and whether only it is shown."""
        share = f"{round(100 * self.count / self.total)}% of all" if self.total else "no texts"
        return f"{share} · shown" if self.is_current else share

    @property
    def url(self) -> str:
        """Where only these are; the one shown leads back to all."""
        query = {name: value for name, value in self.query.items() if name not in ("outcome", "page")}
        if not self.is_current:
            query["outcome"] = self.name
        return f"?{urlencode(query)}"


@dataclass(frozen=True)
class HealthRow:
    """How a number does."""

    health: NumberHealth

    @property
    def number(self) -> NumberRow:
        """The number itself."""
        return NumberRow(self.health.number)

    @property
    def status(self) -> str:
        """Whether texts get out, in a few words."""
        if self.health.breaker is not None:
            return "Held back"
        return self.number.status

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return "bad" if self.health.breaker is not None else self.number.status_tone

    @property
    def why(self) -> str:
        """What holds it up."""
        breaker = self.health.breaker
        return f"{words.reason(breaker.reason)}. One text tries again every few minutes." if breaker else ""

    @property
    def delivered(self) -> str:
        """Delivered of accepted, with the share."""
        if not self.health.accepted:
            return DASH
        share = round(100 * self.health.delivered / self.health.accepted)
        return f"{self.health.delivered} of {self.health.accepted} ({share}%)"

    @property
    def took(self) -> str:
        """How long a text takes to the phone on average."""
        return DASH if self.health.seconds_to_phone is None else duration(self.health.seconds_to_phone)


@dataclass(frozen=True)
class SwitchRow:
    """An Epic connection with the two switches that act at once."""

    endpoint: FhirEndpoint
    draft: SmsConfiguration | None

    @property
    def is_paused(self) -> bool:
        """Whether nothing goes out."""
        return bool(self.draft and self.draft.is_paused)

    @property
    def can_send(self) -> bool:
        """Whether there is anything to pause."""
        return self.draft is not None and bool(approved_choices_of(self.endpoint))

    @property
    def percent(self) -> int:
        """The share of visits that is texted about."""
        return self.draft.released_percent if self.draft else 100

    @property
    def status(self) -> str:
        """What goes out, in a few words."""
        if not self.can_send:
            return "Nothing approved"
        if self.is_paused:
            return "Paused"
        return "Sending" if self.percent == 100 else f"Sending to {self.percent}% of visits"  # noqa: PLR2004 - all

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        if not self.can_send:
            return "neutral"
        if self.is_paused:
            return "warn"
        return "ok" if self.percent == 100 else "info"  # noqa: PLR2004 - all

    @property
    def environment_tone(self) -> str:
        """The colour that goes with the environment's written name."""
        return "bad" if self.endpoint.is_production else "warn"

    @property
    def pause_label(self) -> str:
        """The act that stops texts."""
        return f"Pause texts of {self.endpoint.name}"

    @property
    def resume_label(self) -> str:
        """The act that lets them go out again."""
        return f"Send texts of {self.endpoint.name} again"


_OPT_OUT_SOURCES = {
    "reply": "The owner replied STOP or the like",
    "supplier": "The supplier said so",
    "staff": "Your staff recorded it",
}


@dataclass(frozen=True)
class OptOutRow:
    """A phone whose owner wants no texts, or did not for a while."""

    opt_out: OptOut

    @property
    def how(self) -> str:
        """How that came to be known."""
        return _OPT_OUT_SOURCES.get(self.opt_out.source, self.opt_out.source)

    @property
    def state(self) -> str:
        """Whether it is in force."""
        return "Texts again" if self.opt_out.ended_at else "No texts"

    @property
    def tone(self) -> str:
        """The tone of :attr:`state`."""
        return "neutral" if self.opt_out.ended_at else "info"


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``under 1 s``, ``3 s``, ``4 min``, ``2 h``."""
    if seconds < 1:
        return "under 1 s"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
