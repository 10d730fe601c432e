"""How messages read in lists and on their own page."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from core.moments import written
from hl7intake.dictionary import field_name, segment_name
from hl7intake.errors import Condition
from hl7intake.models import InboundMessage
from hl7intake.outline import OutlinedSegment, outline_of_shape
from hl7intake.presenters.certificates import ago_words, common_name, grouped
from hl7intake.presenters.facts import facts_of, notes_of, shape_in
from hl7intake.presenters.words import (
    ANSWERS,
    OUTCOMES,
    REASONS,
    SENTENCES,
    WORRYING_REASONS,
    advice,
    event_words,
    failure,
)

State = InboundMessage.State
_NO_ANSWER = "None; the sender asks for none"
_CONDITIONS = {condition.code: condition.label for condition in Condition}


@dataclass(frozen=True, kw_only=True)
class MessageRow:
    """One message as a row."""

    message: InboundMessage
    zone: str

    @property
    def control_id(self) -> str:
        """MSH-10, or what stands in for it."""
        return self.message.control_id or "(no id)"

    @property
    def url(self) -> str:
        """Where everything about it is."""
        return reverse("hl7:message", args=[self.message.pk])

    @property
    def event(self) -> str:
        """What it says happened."""
        return event_words(self.message.message_type, self.message.trigger)

    @property
    def trigger(self) -> str:
        """The event's code."""
        return self.message.trigger if self.event != self.message.trigger else ""

    @property
    def outcome(self) -> str:
        """What became of it, in a word."""
        return self._outcome[0]

    @property
    def outcome_tone(self) -> str:
        """The tone of :attr:`outcome`."""
        worries = self.message.reason in WORRYING_REASONS or (self.message.state == State.APPLIED and self.has_notes)
        return "warn" if worries else self._outcome[1]

    @property
    def why(self) -> str:
        """Why it had no effect, or that something had to be assumed."""
        if self.message.state in {State.REJECTED, State.QUARANTINED}:
            return self.message.error_text or failure(self.message.error_code)
        if self.message.reason:
            return REASONS.get(self.message.reason, self.message.reason)
        count = len(self.message.warnings)
        return f"{count} note{'' if count == 1 else 's'}" if count else ""

    @property
    def has_notes(self) -> bool:
        """Whether something had to be assumed."""
        return bool(self.message.warnings)

    @property
    def answer(self) -> str:
        """What the sender was told: MSA-1, in enhanced mode possibly two or none."""
        return ", ".join(self.answer_codes) or "none wanted"

    @property
    def answer_codes(self) -> list[str]:
        """MSA-1 of each answer that was sent."""
        return str(self.message.answered).split()

    @property
    def sender(self) -> str:
        """Who it said it is from."""
        names = (self.message.sending_application, self.message.sending_facility)
        return " at ".join(name for name in names if name) or "Not stated"

    @property
    def visit_label(self) -> str:
        """The visit it is about, as far as there is one here."""
        return str(self.message.visit.session_id) if self.message.visit else ""

    @property
    def visit_url(self) -> str:
        """Where the visit's timeline is."""
        return reverse("visits:detail", args=[self.message.visit_id]) if self.message.visit_id else ""

    @property
    def environment_tone(self) -> str:
        """The tone of the endpoint's tag."""
        return "bad" if self.message.endpoint.is_production else "warn"

    @property
    def _outcome(self) -> tuple[str, str]:
        return OUTCOMES.get(self.message.state, (self.message.state, "neutral"))


@dataclass(frozen=True, kw_only=True)
class MessagePage(MessageRow):
    """Everything about one message.

    :param same: every message about its appointment, itself too, in their order.
    :param has_text: whether its text is still kept.
    :param can_replay: whether the person may; ``can_read`` whether they may see its text.
    """

    same: list[InboundMessage]
    has_text: bool
    can_replay: bool
    can_read: bool
    now: datetime

    @property
    def title(self) -> str:
        """What staff call it."""
        return f"Message {self.control_id}"

    @property
    def lead(self) -> str:
        """The line under the heading."""
        when = written(self.message.received_at, style="seconds", zone_name=self.zone)
        day = written(self.message.received_at, style="date", zone_name=self.zone)
        return f"{self.event} · received {day}, {when} from {self.sender}"

    @property
    def sentence(self) -> str:
        """What became of it, in a sentence."""
        return SENTENCES.get(self.message.state, "")

    @property
    def advice(self) -> str:
        """Who has to look at what, for a message without effect."""
        return advice(self.message.error_code)

    @property
    def problem(self) -> list[tuple[str, str]]:
        """Place, condition and code of a refusal."""
        message = self.message
        condition = f"{message.error_condition} {_CONDITIONS.get(message.error_condition, '')}".strip()
        rows = [
            ("Field", _place_in_words(message.error_location)),
            ("Condition (table 0357)", condition),
            ("Code", message.error_code),
            ("Attempts", str(message.attempts) if message.state == State.QUARANTINED else ""),
        ]
        return [(label, text) for label, text in rows if text]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was understood of it."""
        return facts_of(self.message)

    @property
    def notes(self) -> list[str]:
        """What had to be assumed."""
        return notes_of(self.message)

    @property
    def acknowledgement(self) -> list[tuple[str, str]]:
        """What the sender was told, and how often."""
        message = self.message
        repeats = message.deliveries - 1
        again = f"{repeats} more time{'' if repeats == 1 else 's'}; each was answered the same and changed nothing"
        rows = [
            ("Answer (MSA-1)", "; ".join(map(_answer_in_words, self.answer_codes)) or _NO_ANSWER),
            ("Mode", _mode_in_words(self.answer_codes)),
            ("Control id (MSA-2)", message.control_id),
            ("Text", message.error_text if message.state == State.REJECTED else ""),
            ("Delivered", again if repeats else "once"),
        ]
        return [(label, text) for label, text in rows if text]

    @property
    def acknowledgement_text(self) -> str:
        """MSA of each answer, and ERR of a refusal, as they were sent."""
        return "\n".join(line for code in self.answer_codes for line in self._answer_lines(code))

    def _answer_lines(self, code: str) -> list[str]:
        message = self.message
        lines = [f"MSA|{code}|{message.control_id}|{message.error_text if self._is_refused else ''}"]
        if self._is_refused and message.error_condition:
            label = _CONDITIONS.get(message.error_condition, "")
            lines.append(f"ERR||{message.error_location}|{message.error_condition}^{label}^HL70357|E")
        return [line.rstrip("|") for line in lines]

    @property
    def proof(self) -> list[dict[str, object]]:
        """How the sender proved who it is."""
        certificate = self.message.certificate
        rows: list[dict[str, object]] = [{"label": "Transport", "value": self.message.get_transport_display()}]
        if certificate is None:
            return [*rows, {"label": "Certificate", "value": "None: it came over a loopback address"}]
        return [
            *rows,
            {"label": "Certificate", "value": common_name(certificate.pem) or certificate.subject},
            {"label": "SHA-256 fingerprint", "value": grouped(certificate.fingerprint)},
        ]

    @property
    def others(self) -> list["Sibling"]:
        """The other messages about the appointment, oldest first."""
        others = [one for one in self.same if one.pk != self.message.pk]
        return [Sibling(message=one, zone=self.zone, beside=self.message) for one in others]

    @property
    def segments(self) -> tuple[OutlinedSegment, ...]:
        """Which fields were sent; their values are not kept."""
        return outline_of_shape(shape_in(self.message))

    @property
    def text_note(self) -> str:
        """Whether the text is kept, and until when."""
        if not self.has_text:
            return "Its text was erased when its outcome was stored. Which fields were sent is known, not their values."
        if self.message.raw_until:
            until = written(self.message.raw_until, zone_name=self.zone)
            return f"Its text is kept, encrypted, until {until}."
        return "Its text is kept, encrypted, until it takes effect or three days have passed."

    @property
    def no_segments(self) -> str:
        """Why there are none to show."""
        if self.message.state in {State.RECEIVED, State.QUARANTINED}:
            return "They are read when the message takes effect."
        return "The message could not be taken apart."

    @property
    def offers_replay(self) -> bool:
        """Whether it can take another try."""
        return self.can_replay and self.has_text and self.message.state in {State.QUARANTINED, State.REJECTED}

    @property
    def age(self) -> str:
        """How long ago it came."""
        return ago_words(self.message.received_at, now=self.now)

    @property
    def _is_refused(self) -> bool:
        return self.message.ack_code != "AA"


def _answer_in_words(code: str) -> str:
    return f"{code}, {ANSWERS.get(code, '').lower()}".rstrip(", ")


def _mode_in_words(codes: list[str]) -> str:
    """Name the mode that MSH-15 and MSH-16 asked for, as far as the answers tell."""
    is_original = len(codes) == 1 and codes[0].startswith("A")
    return "" if is_original else "Enhanced, as MSH-15 and MSH-16 ask"


def _place_in_words(location: str) -> str:
    """Return ERR-2 as people say it: ``SCH-11 Appointment timing quantity``."""
    segment, _, rest = location.partition("^")
    number = rest.rpartition("^")[2]
    if not number.isdecimal():
        return f"{segment} {segment_name(segment)}" if segment else ""
    return f"{segment}-{number} {field_name(segment, int(number))}"


@dataclass(frozen=True, kw_only=True)
class Sibling(MessageRow):
    """Another message about the same appointment."""

    beside: InboundMessage

    @property
    def compare_label(self) -> str:
        """Names the act and the message."""
        return f"Compare with {self.control_id}"

    @property
    def compare_url(self) -> str:
        """Where the two are compared, the earlier one first."""
        pair = sorted([self.message, self.beside], key=lambda one: (one.message_at or one.received_at, one.received_at))
        return reverse("hl7:compare", args=[one.pk for one in pair])
