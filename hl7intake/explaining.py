"""Say in plain lines how a message was understood and what would happen; for analysts."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core.phone import mask
from hl7intake.errors import MessageRefused
from hl7intake.findings import Finding
from hl7intake.mapping import Coverage, Ended, Meaning, NotForUs, Reason, Scheduled, interpret
from hl7intake.outline import OutlinedSegment, outline
from hl7intake.reader import Message, read
from hl7intake.rules import Rules
from visits.services.scheduling import ScheduledPerson

_COVERAGE = {
    Coverage.VIRTUAL: "The visit is scheduled or updated, and its patients are texted.",
    Coverage.OTHER: "Not a virtual visit: nothing is texted; a visit we know is called off.",
    Coverage.UNSTATED: "No visit type or department is named: only a visit we know is updated.",
    Coverage.UNCONFIGURED: "No visit types or departments are chosen: nothing is texted.",
}
_REASONS = {Reason.SLOT: "A provider's free time, no appointment: accepted and not used."}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How a message is understood; nothing in it is about a patient but the last digits of numbers.

    :param lines: label and text of what was understood.
    :param outcome: what would happen.
    :param segments: every field that was sent; empty when the message cannot be read at all.
    """

    lines: tuple[tuple[str, str], ...]
    outcome: str
    is_refused: bool = False
    segments: tuple[OutlinedSegment, ...] = ()


def explain(raw: bytes, *, rules: Rules, now: datetime) -> Explanation:
    """Return how ``raw`` is understood by ``rules``."""
    lines: list[tuple[str, str]] = []
    segments: tuple[OutlinedSegment, ...] = ()
    try:
        message = read(raw)
        lines += _header(message)
        segments = outline(message, region=rules.region)
        meaning = interpret(message, rules=rules, now=now)
    except MessageRefused as error:
        return Explanation(lines=tuple(lines), outcome=_refusal(error), is_refused=True, segments=segments)
    lines += _understood(meaning, rules.zone)
    return Explanation(lines=tuple(lines), outcome=_outcome(meaning), segments=segments)


def _refusal(error: MessageRefused) -> str:
    where = f" at {error.location}" if error.location else ""
    return f"Refused with {error.acknowledgment} {error.condition.code}{where}: {error.user_message}"


def _understood(meaning: Meaning, zone: ZoneInfo) -> list[tuple[str, str]]:
    if isinstance(meaning, NotForUs):
        return []
    visit = [("Visit", meaning.session_id)] if isinstance(meaning, Ended) else _visit(meaning, zone)
    return [*visit, *_findings(meaning.findings)]


def _outcome(meaning: Meaning) -> str:
    if isinstance(meaning, NotForUs):
        return _REASONS.get(meaning.reason, "Accepted and not used.")
    if isinstance(meaning, Ended):
        return f"The visit, if we know it, becomes: {meaning.state.label}."
    return _COVERAGE[meaning.coverage]


def _header(message: Message) -> list[tuple[str, str]]:
    msh = message.first("MSH")
    return [
        ("From", f"{msh.text(3)} at {msh.text(4)}"),
        ("Event", f"{msh.text(9)}^{msh.text(9, component=2)}"),
        ("Control id", msh.raw(10)),
        ("Characters", message.charset),
    ]


def _visit(meaning: Scheduled, zone: ZoneInfo) -> list[tuple[str, str]]:
    visit = meaning.visit
    minutes = round((visit.ends_at - visit.starts_at).total_seconds() / 60)
    return [
        ("Visit", visit.session_id),
        ("Start", f"{visit.starts_at.astimezone(zone):%Y-%m-%d %H:%M %Z} ({meaning.start_text}), {minutes} minutes"),
        ("Visit type", f"{visit.visit_type} {visit.visit_type_name}".strip() or "not stated"),
        ("Department", visit.department or "not stated"),
        *((f"Patient {number}", _person(person)) for number, person in enumerate(visit.people, start=1)),
        *([("Interpreter", visit.interpreter_language)] if visit.interpreter_language else []),
    ]


def _person(person: ScheduledPerson) -> str:
    phones = {None: "number not mentioned", "": "no number"}
    phone = phones.get(person.phone) or mask(person.phone or "")
    return f"{phone}, language {person.language}"


def _findings(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [("Note", " ".join(part for part in (f.sentence, f.place, f.detail) if part)) for f in findings]
