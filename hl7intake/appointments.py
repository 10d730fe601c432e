"""Which appointment a message is about, and whether it can be used at all: what decides its answer.

Pure: no database, no clock. Everything that refuses a message is found by :func:`identify`, before it is
acknowledged, and by nothing that takes longer; what was noticed besides, and what the message means for a visit,
is read later (:func:`read_appointment`, :mod:`hl7intake.mapping`). Source: HL7 v2.5.1 chapter 10 (SIU events S12
to S26), and what real senders do with it; the appointment interface of Epic sends S12 to S15 and S26 without
offsets, ends or MSH-9.3.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from hl7intake.errors import AckCode, Condition, MessageRefused
from hl7intake.findings import Finding, FindingCode
from hl7intake.reader import Message, Segment
from hl7intake.rules import Rules
from hl7intake.statuses import ENDED, UPCOMING, Status, read_status
from hl7intake.times import read_moment
from hl7intake.timing import Timing, booked_resources, check_timing, read_timing

SCHEDULING_EVENTS = frozenset({"S12", "S13", "S14", "S18", "S19", "S20", "S21", "S22"})
ENDING_EVENTS = frozenset({"S15", "S16", "S17", "S26"})
SLOT_EVENTS = frozenset({"S23", "S24"})  # a provider's free time; no appointment

_FARTHEST_AHEAD = timedelta(days=1)
_LONGEST_ID = 199


class Subject(NamedTuple):
    """Which appointment a message is about; empty for a provider's free time.

    :param session_id: the CSN.
    :param changed_at: the sender's clock (MSH-7), which orders the messages about one appointment.
    """

    session_id: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """What a message is about, and what was noticed.

    :param status: SCH-25 in the words of table 0278; empty when it says nothing we know.
    :param timing: None when the appointment ends, and for free time.
    """

    trigger: str
    session_id: str = ""
    changed_at: datetime | None = None
    timing: Timing | None = None
    status: str = ""
    findings: tuple[Finding, ...] = ()


def identify(message: Message, *, rules: Rules, now: datetime) -> Subject:
    """Return which appointment ``message`` is about, if it can be used; looks at no more than that takes.

    :param now: when it arrived; stands in for MSH-7 where that is missing or far ahead.
    :raises MessageRefused: with AR when no such message can ever be accepted (``hl7.control_id``,
        ``hl7.unsupported_type``, ``hl7.unsupported_event``), with AE when its content cannot be used
        (``hl7.session_id_missing``, ``hl7.start_missing``, ``hl7.start_unreadable``, ``hl7.end_before_start``).
    """
    msh = message.first("MSH")
    trigger = read_trigger(msh)
    if trigger in SLOT_EVENTS:
        return Subject()
    session_id = _session_id(message, rules.session_id_places)
    changed_at, _ = _changed_at(msh, zone=rules.zone, now=now)
    if trigger not in ENDING_EVENTS:
        check_timing(message, zone=rules.zone, places=rules.start_places)
    return Subject(session_id, changed_at)


def read_appointment(message: Message, *, rules: Rules, now: datetime) -> Appointment:
    """Return the appointment that ``message`` is about, with everything that was noticed.

    :param now: as for :func:`identify`.
    :raises MessageRefused: as :func:`identify` does, and for nothing else.
    """
    msh = message.first("MSH")
    trigger = read_trigger(msh)
    if trigger in SLOT_EVENTS:
        return Appointment(trigger=trigger)
    session_id = _session_id(message, rules.session_id_places)
    changed_at, time_findings = _changed_at(msh, zone=rules.zone, now=now)
    status = read_status(message.first("SCH"), rules.statuses)
    timing = None if trigger in ENDING_EVENTS else _timing(message, rules)
    conflicts = _id_conflicts(message, session_id, rules.session_id_places)
    return Appointment(
        trigger=trigger,
        session_id=session_id,
        changed_at=changed_at,
        timing=timing,
        status=status.value if status else "",
        findings=(*conflicts, *time_findings, *_status_findings(status, trigger)),
    )


def read_trigger(msh: Segment) -> str:
    """Return the event of a message that we take, such as ``S12``.

    :raises MessageRefused: with AR: ``hl7.control_id``, ``hl7.unsupported_type``, ``hl7.unsupported_event``.
    """
    control_id = msh.raw(10)
    if not control_id.strip() or len(control_id) > _LONGEST_ID:
        _reject("hl7.control_id", "MSH-10 must hold an id of at most 199 characters.", Condition.REQUIRED_FIELD, 10)
    if msh.text(9).strip().upper() != "SIU":
        _reject(
            "hl7.unsupported_type",
            "Only scheduling messages (SIU) are accepted here; remove other types from this interface.",
            Condition.UNSUPPORTED_TYPE,
            9,
        )
    trigger = msh.text(9, component=2).strip().upper()
    if trigger not in SCHEDULING_EVENTS and trigger not in ENDING_EVENTS and trigger not in SLOT_EVENTS:
        _reject(
            "hl7.unsupported_event",
            "Only the events S12 to S24 and S26 are accepted.",
            Condition.UNSUPPORTED_EVENT,
            9,
        )
    return trigger


def _reject(code: str, reason: str, condition: Condition, msh_field: int) -> NoReturn:
    raise MessageRefused(
        code, reason, condition=condition, location=f"MSH^1^{msh_field}", acknowledgment=AckCode.REJECT
    )


def _timing(message: Message, rules: Rules) -> Timing:
    return read_timing(message, zone=rules.zone, resources=booked_resources(message), places=rules.start_places)


def _session_id(message: Message, places: tuple[str, ...]) -> str:
    for place in places:
        if session_id := _id_at(message, place):
            return session_id
    raise MessageRefused(
        "hl7.session_id_missing",
        "The appointment has no id. Send the CSN in SCH-2 or PV1-19.",
        condition=Condition.REQUIRED_FIELD,
        location="SCH^1^2",
    )


def _id_at(message: Message, place: str) -> str:
    if place != "PV1-19":
        return message.first("SCH").text(2 if place == "SCH-2" else 1).strip()
    numbers = {number for segment in message.all("PV1") if (number := segment.text(19).strip())}
    # Several patients with a number each: what they share is the appointment, not one of theirs.
    return numbers.pop() if len(numbers) == 1 else ""


def _id_conflicts(message: Message, chosen: str, places: tuple[str, ...]) -> list[Finding]:
    stated = ((place, _id_at(message, place)) for place in ("PV1-19", "SCH-2") if place in places)
    return [Finding(FindingCode.SESSION_ID_CONFLICT, place) for place, value in stated if value and value != chosen]


def _changed_at(msh: Segment, *, zone: ZoneInfo, now: datetime) -> tuple[datetime, list[Finding]]:
    moment = read_moment(msh.text(7), zone=zone, near=now)
    if moment is None:
        return now, [Finding(FindingCode.MESSAGE_TIME_MISSING, "MSH-7")]
    if moment.at > now + _FARTHEST_AHEAD:
        # Believed, it would make every later message about this visit look outdated.
        return now, [Finding(FindingCode.MESSAGE_TIME_AHEAD, "MSH-7", moment.text)]
    return moment.at, []


def _status_findings(status: Status | None, trigger: str) -> list[Finding]:
    contradicting = UPCOMING if trigger in ENDING_EVENTS else ENDED
    if status is None or status not in contradicting:
        return []
    return [Finding(FindingCode.STATUS_CONFLICT, "SCH-25", f"{trigger}, {status.value}")]
