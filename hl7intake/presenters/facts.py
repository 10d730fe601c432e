"""What was understood of a message, as label and text; and how two messages differ."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.moments import written
from hl7intake.dictionary import field_name
from hl7intake.findings import SENTENCES as FINDINGS
from hl7intake.findings import FindingCode
from hl7intake.models import InboundMessage
from hl7intake.presenters.words import event_words

Shape = list[list[Any]]

_COVERAGE = {
    "virtual": "Yes",
    "other": "No, by visit type and department",
    "unstated": "Not stated; a visit we know is updated",
    "unconfigured": "Not decided: no visit types or departments are chosen",
}
_ENDS = {"cancelled": "Cancelled", "no_show": "No-show"}
_NOTHING = "\N{EN DASH}"
_SEGMENTS = "segments"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One line of a comparison."""

    label: str
    was: str
    now: str

    @property
    def is_changed(self) -> bool:
        """Whether the two messages say different things."""
        return self.was != self.now


def facts_of(message: InboundMessage) -> list[tuple[str, str]]:
    """Return what ``message`` said, in the endpoint's time zone.

    Of patients only how many, their languages and whether there is a number.
    """
    said: dict[str, Any] = message.understood or {}
    zone = message.endpoint.time_zone
    rows = [
        ("Event", f"{message.trigger} {event_words(message.message_type, message.trigger)}".strip()),
        ("Sender's time", written(message.message_at, style="full", zone_name=zone) if message.message_at else ""),
        ("Start", _start(said, message, zone)),
        ("Duration", _minutes(said)),
        ("Visit type", " ".join(part for part in (said.get("visit_type"), said.get("visit_type_name")) if part)),
        ("Department", str(said.get("department") or "")),
        ("Virtual visit", _COVERAGE.get(str(said.get("coverage", "")), "")),
        ("Visit becomes", _ENDS.get(str(said.get("ends_as", "")), str(said.get("ends_as", "")))),
        ("Group visit", "Yes" if said.get("is_group") else ""),
        ("Interpreter", str(said.get("interpreter_language") or "")),
        ("Providers", str(said.get("providers") or "")),
        ("Status (SCH-25)", str(said.get("status") or "")),
        *_patients(said),
        ("Characters", message.charset),
    ]
    return [(label, text) for label, text in rows if text]


def notes_of(message: InboundMessage) -> list[str]:
    """Return what had to be assumed or was noticed, a sentence each."""
    return [_note(one) for one in message.warnings]


def shape_in(message: InboundMessage) -> Shape:
    """Return which fields were sent, as :func:`hl7intake.outline.shape_of` stored it."""
    shape = (message.understood or {}).get(_SEGMENTS)
    return shape if isinstance(shape, list) else []


def differences(earlier: InboundMessage, later: InboundMessage) -> list[Difference]:
    """Return line by line what two messages about one appointment say, in the order of the facts."""
    before, after = dict(facts_of(earlier)), dict(facts_of(later))
    labels = list(dict.fromkeys([*before, *after]))
    lines = [Difference(label=one, was=before.get(one, _NOTHING), now=after.get(one, _NOTHING)) for one in labels]
    was, now = (" ".join(notes_of(one)) or _NOTHING for one in (earlier, later))
    return lines if was == now == _NOTHING else [*lines, Difference(label="Notes", was=was, now=now)]


def field_differences(earlier: InboundMessage, later: InboundMessage) -> list[Difference]:
    """Return the fields that only one of two messages sent."""
    before, after = _places(shape_in(earlier)), _places(shape_in(later))
    return [
        Difference(label=f"{place} {name}", was=_sent(place in before), now=_sent(place in after))
        for place, name in {**before, **after}.items()
        if (place in before) != (place in after)
    ]


def _start(said: dict[str, Any], message: InboundMessage, zone: str) -> str:
    moment = _moment(said.get("starts_at"))
    if moment is None:
        return ""
    as_sent = f" (sent as {message.start_text})" if message.start_text else ""
    return written(moment, style="full", zone_name=zone) + as_sent


def _minutes(said: dict[str, Any]) -> str:
    start, end = _moment(said.get("starts_at")), _moment(said.get("ends_at"))
    return f"{round((end - start).total_seconds() / 60)} minutes" if start and end else ""


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _patients(said: dict[str, Any]) -> list[tuple[str, str]]:
    people = said.get("patients") or []
    label = "Patient" if len(people) == 1 else "Patient {}"
    return [
        (label.format(number), f"number {one.get('phone', 'not mentioned')}, {_language(one.get('language'))}")
        for number, one in enumerate(people, start=1)
    ]


def _language(code: object) -> str:
    return f"language {code}" if code else "language not stated"


def _note(warning: dict[str, str]) -> str:
    code, place, detail = (warning.get(name, "") for name in ("code", "place", "detail"))
    sentence = FINDINGS[FindingCode(code)] if code in set(FindingCode) else code
    where = f"{place}: " if place else ""
    return f"{where}{sentence}" + (f" ({detail})" if detail else "")


def _places(shape: Shape) -> dict[str, str]:
    return {f"{name}-{number}": field_name(name, number) for name, numbers in shape for number in numbers}


def _sent(is_sent: bool) -> str:  # noqa: FBT001 - a word for it
    return "Sent" if is_sent else "Not sent"
