"""When an appointment starts and ends, out of the up to six places that say so.

Source: HL7 v2.5.1 chapter 10 (SCH, AIS, AIG, AIL, AIP) and 4.5.4 (TQ1).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import NoReturn
from zoneinfo import ZoneInfo

from hl7intake.errors import Condition, MessageRefused
from hl7intake.findings import Finding, FindingCode
from hl7intake.reader import Message, Segment
from hl7intake.times import Length, Moment, Shift, read_length, read_moment, read_quantity_length

# Most reliable first. SCH-11 is withdrawn since v2.7, and resources may carry preparation time.
START_PLACES = ("TQ1-7", "SCH-11", "AIS-4", "AIP-6", "AIL-6", "AIG-8")
_APPOINTMENT_START = {"TQ1-7": ("TQ1", 7, 1), "SCH-11": ("SCH", 11, 4)}
_APPOINTMENT_END = {"TQ1-8": ("TQ1", 8, 1), "SCH-11": ("SCH", 11, 5)}
RESOURCE_START = {"AIS": 4, "AIP": 6, "AIL": 6, "AIG": 8}
DEFAULT_LENGTH = timedelta(minutes=30)
_NOTHING, _LONGEST = timedelta(0), timedelta(hours=24)
_REMOVED = "D"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Start and end in UTC, the start as it was written, and what was assumed."""

    starts_at: datetime
    ends_at: datetime
    start_text: str
    findings: tuple[Finding, ...]


def read_timing(
    message: Message, *, zone: ZoneInfo, resources: list[Segment], places: tuple[str, ...] = START_PLACES
) -> Timing:
    """Return when the appointment takes place.

    :param resources: the service, personnel, location and general resource segments still booked.
    :param places: where to look for the start, most trusted first.
    :raises MessageRefused: ``hl7.start_missing``, ``hl7.start_unreadable`` or ``hl7.end_before_start``.
    """
    candidates = [(place, text) for place in places for text in _texts_at(message, place, resources)]
    moments = [(place, moment) for place, text in candidates if (moment := read_moment(text, zone=zone))]
    if not moments:
        _refuse_start(is_given=bool(candidates))
    place, start = moments[0]
    findings = [
        *(Finding(FindingCode.START_UNREADABLE, where) for where in _unreadable(candidates, moments)),
        *_conflicts(place, start, moments),
        *_shifted(place, start),
    ]
    ends_at, end_findings = _end(message, start=start, zone=zone, resources=resources)
    return Timing(starts_at=start.at, ends_at=ends_at, start_text=start.text, findings=(*findings, *end_findings))


def check_timing(message: Message, *, zone: ZoneInfo, places: tuple[str, ...] = START_PLACES) -> None:
    """Refuse what :func:`read_timing` refuses, without looking at more than that takes.

    :raises MessageRefused: as :func:`read_timing` does.
    """
    is_given = False
    for place in places:
        for text in _texts_at(message, place):
            is_given = True
            start = read_moment(text, zone=zone)
            if start is not None:
                _stated_end(message, start=start, zone=zone)
                return
    _refuse_start(is_given=is_given)


def booked_resources(message: Message) -> list[Segment]:
    """Return the resource segments that are not deleted, neither themselves nor with their RGS group."""
    booked = []
    is_group_removed = False
    for segment in message:
        if segment.name == "RGS":
            is_group_removed = _is_removed(segment)
        elif segment.name in RESOURCE_START and not is_group_removed and not _is_removed(segment):
            booked.append(segment)
    return booked


def _is_removed(segment: Segment) -> bool:
    return segment.text(2).strip().upper() == _REMOVED


def _texts_at(message: Message, place: str, resources: list[Segment] | None = None) -> list[str]:
    if place in _APPOINTMENT_START:
        name, number, component = _APPOINTMENT_START[place]
        text = message.first(name).text(number, component)
        return [text] if text.strip() else []
    name = place[:3]
    resources = booked_resources(message) if resources is None else resources
    texts = (segment.text(RESOURCE_START[name]) for segment in resources if segment.name == name)
    return [text for text in texts if text.strip()]


def _refuse_start(*, is_given: bool) -> NoReturn:
    code, words = ("hl7.start_unreadable", "is no date and time") if is_given else ("hl7.start_missing", "is missing")
    raise MessageRefused(
        code,
        f"The start of the appointment {words}. Send it in SCH-11.4 as YYYYMMDDHHMM.",
        condition=Condition.DATA_TYPE if is_given else Condition.REQUIRED_FIELD,
        location="SCH^1^11",
    )


def _unreadable(candidates: list[tuple[str, str]], moments: list[tuple[str, Moment]]) -> list[str]:
    readable = {(place, moment.text) for place, moment in moments}
    return [place for place, text in candidates if (place, text) not in readable]


def _conflicts(place: str, start: Moment, moments: list[tuple[str, Moment]]) -> list[Finding]:
    seen = {start.at}
    findings = []
    for other_place, other in moments[1:]:
        if other.at not in seen:
            seen.add(other.at)
            detail = f"{place} {start.text}, {other_place} {other.text}"
            findings.append(Finding(FindingCode.START_CONFLICT, other_place, detail))
    return findings


def _shifted(place: str, moment: Moment) -> list[Finding]:
    if moment.shift is Shift.NONE:
        return []
    code = FindingCode.CLOCK_GAP if moment.shift is Shift.GAP else FindingCode.CLOCK_FOLD
    return [Finding(code, place, moment.text)]


def _end(
    message: Message, *, start: Moment, zone: ZoneInfo, resources: list[Segment]
) -> tuple[datetime, list[Finding]]:
    stated, findings = _stated_end(message, start=start, zone=zone)
    if stated is not None:
        return stated.at, findings
    length = _length(message, resources)
    if length is None:
        return start.at + DEFAULT_LENGTH, [*findings, Finding(FindingCode.LENGTH_MISSING, "SCH-9")]
    if length.is_guessed:
        findings.append(Finding(FindingCode.LENGTH_UNIT_GUESSED, "SCH-10", f"{length.value}"))
    return start.at + length.value, findings


def _stated_end(message: Message, *, start: Moment, zone: ZoneInfo) -> tuple[Moment | None, list[Finding]]:
    findings: list[Finding] = []
    for place, (name, number, component) in _APPOINTMENT_END.items():
        text = message.first(name).text(number, component)
        end = read_moment(text, zone=zone) if text else None
        if end is None:
            continue
        length = end.at - start.at
        if length < _NOTHING:
            _refuse_end(place)
        if _NOTHING < length <= _LONGEST:
            return end, [*findings, *_shifted(place, end)]
        findings.append(Finding(FindingCode.END_IMPLAUSIBLE, place, f"{start.text} to {end.text}"))
    return None, findings


def _refuse_end(place: str) -> NoReturn:
    raise MessageRefused(
        "hl7.end_before_start",
        "The appointment ends before it starts.",
        condition=Condition.DATA_TYPE,
        location=place.replace("-", "^1^"),
    )


def _length(message: Message, resources: list[Segment]) -> Length | None:
    schedule, quantity = message.first("SCH"), message.first("TQ1")
    services = (
        read_length(one.text(7), one.text(8), unit_text=one.text(8, component=2))
        for one in resources
        if one.name == "AIS"
    )
    stated = (
        read_length(schedule.text(9), schedule.text(10), unit_text=schedule.text(10, component=2)),
        read_quantity_length(schedule.text(11, component=3)),
        read_length(quantity.text(6), quantity.text(6, component=2)),
    )
    return next((length for length in chain(stated, services) if length is not None), None)
