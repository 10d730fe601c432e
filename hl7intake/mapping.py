"""What a scheduling message means for us: a visit to hold, a visit that ended, or nothing.

Pure: no database, no clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hl7intake.appointments import Appointment, read_appointment
from hl7intake.findings import Finding, FindingCode
from hl7intake.people import read_interpreter_language, read_people, read_provider_ids
from hl7intake.reader import Message, Segment
from hl7intake.rules import Rules
from hl7intake.timing import Timing, booked_resources
from visits.models import Visit
from visits.services.scheduling import ScheduledVisit

_ENDS = {
    "S15": Visit.State.CANCELLED,
    "S16": Visit.State.CANCELLED,
    "S17": Visit.State.CANCELLED,
    "S26": Visit.State.NO_SHOW,
}
_MAX_CODE, _MAX_NAME = 60, 120


class Coverage(StrEnum):
    """Whether an appointment is a virtual visit by the organization's lists."""

    VIRTUAL = "virtual"
    OTHER = "other"
    UNSTATED = "unstated"  # the message names nothing that could be looked up
    UNCONFIGURED = "unconfigured"  # both lists are empty


class Reason(StrEnum):
    """Why an accepted message has no effect."""

    SLOT = "slot"
    NOT_VIRTUAL = "not_virtual"
    FILTER_EMPTY = "filter_empty"
    NOT_APPROVED = "not_approved"
    UNKNOWN_VISIT = "unknown_visit"


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """An appointment that is to take place."""

    visit: ScheduledVisit
    coverage: Coverage
    start_text: str = ""
    status: str = ""
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An appointment that will not take place."""

    session_id: str
    state: Visit.State
    changed_at: datetime
    status: str = ""
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class NotForUs:
    """A message that is accepted and has no effect."""

    reason: Reason


Meaning = Scheduled | Ended | NotForUs


def interpret(message: Message, *, rules: Rules, now: datetime) -> Meaning:
    """Return what ``message`` means.

    :param now: when it arrived; stands in for MSH-7 where that is missing or far ahead.
    :raises MessageRefused: as :func:`hl7intake.appointments.read_appointment` does.
    """
    appointment = read_appointment(message, rules=rules, now=now)
    if appointment.changed_at is None:
        return NotForUs(reason=Reason.SLOT)
    if appointment.timing is None:
        return Ended(
            session_id=appointment.session_id,
            state=_ENDS[appointment.trigger],
            changed_at=appointment.changed_at,
            status=appointment.status,
            findings=appointment.findings,
        )
    return _scheduled(message, appointment, changed_at=appointment.changed_at, timing=appointment.timing, rules=rules)


def _scheduled(
    message: Message, appointment: Appointment, *, changed_at: datetime, timing: Timing, rules: Rules
) -> Scheduled:
    resources = booked_resources(message)
    types = _visit_types(message.first("SCH"), resources)
    departments = _departments(message, resources)
    people, people_findings = read_people(message.all("PID"), region=rules.region)
    code, name = types[0] if types else ("", "")
    visit = ScheduledVisit(
        session_id=appointment.session_id,
        changed_at=changed_at,
        starts_at=timing.starts_at,
        ends_at=timing.ends_at,
        time_zone=rules.zone.key,
        visit_type=code[:_MAX_CODE],
        visit_type_name=name[:_MAX_NAME],
        department=departments[0][:_MAX_CODE] if departments else "",
        is_group=len(people) > 1 or "GROUP" in name.upper().split(),
        interpreter_language=read_interpreter_language(resources),
        provider_ids=read_provider_ids(resources),
        people=people,
    )
    return Scheduled(
        visit=visit,
        coverage=_coverage({code for code, _ in types}, set(departments), rules),
        start_text=timing.start_text,
        status=appointment.status,
        findings=(*appointment.findings, *timing.findings, *people_findings, *_charset_findings(message)),
    )


def _visit_types(schedule: Segment, resources: list[Segment]) -> list[tuple[str, str]]:
    """Return code and name of the appointment's type and of each booked service."""
    stated = [(schedule, 8), *((segment, 3) for segment in resources if segment.name == "AIS")]
    return [(code, _name(segment, number)) for segment, number in stated if (code := segment.text(number).strip())]


def _name(segment: Segment, number: int) -> str:
    return segment.text(number, component=2).strip()


def _departments(message: Message, resources: list[Segment]) -> list[str]:
    stated = [segment for segment in resources if segment.name == "AIL"] + message.all("PV1")
    # Some senders leave the point of care empty and name the department as facility: ^room^^dept.
    found = ((segment.text(3) or segment.text(3, component=4)).strip() for segment in stated)
    return [department for department in found if department]


def _coverage(types: set[str], departments: set[str], rules: Rules) -> Coverage:
    if not rules.visit_types and not rules.departments:
        return Coverage.UNCONFIGURED
    if _any_in(types, rules.visit_types) or _any_in(departments, rules.departments):
        return Coverage.VIRTUAL
    is_unstated = (rules.visit_types and not types) or (rules.departments and not departments)
    return Coverage.UNSTATED if is_unstated else Coverage.OTHER


def _any_in(stated: set[str], chosen: frozenset[str]) -> bool:
    fold: Callable[[str], str] = str.casefold
    return not {fold(code) for code in stated}.isdisjoint({fold(code.strip()) for code in chosen})


def _charset_findings(message: Message) -> list[Finding]:
    is_assumed = message.charset not in {"ascii", "utf-8"} and not message.first("MSH").raw(18)
    return [Finding(FindingCode.CHARSET_ASSUMED, "MSH-18", message.charset)] if is_assumed else []
