"""Write the messages that Epic's outgoing appointment interface would send: SIU, version 2.3, built with hl7apy.

Source: Epic's outgoing appointment scheduling interface (Cadence). Times are the hospital's local time without
an offset. What ends a visit says less: no booker, no phones, no people who take part.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hl7apy.core import Segment

from sandbox.models import Appointment
from sandbox.people import PATIENTS, PROVIDERS, Patient, Provider

ZONE = ZoneInfo("America/Chicago")
VERSION = "2.3"
VISIT_TYPE, GROUP_VISIT_TYPE = "VV30^VIDEO VISIT 30", "VGRP60^VIDEO GROUP VISIT"
_BOOKER, _BOOKER_PHONE = "4821^SCHEDULER^KIM^^^^", "(608)555-0110"
_PROCESSING = {"test": "T", "production": "P"}

Fields = dict[int, str]


@dataclass(frozen=True, kw_only=True)
class _Trigger:
    """What an event looks like: SCH-25, the segments' action code, SCH-7, and whether the visit still takes place."""

    status: str
    action: str
    reason: str = ""
    takes_place: bool = True


_TRIGGERS = {
    "S12": _Trigger(status="1^SCH", action="A"),
    "S13": _Trigger(status="1^SCH", action="U", reason="PATREQ^PATIENT REQUEST"),
    "S14": _Trigger(status="1^SCH", action="U", reason="RESCHED^OTHER RESOURCE"),
    "S15": _Trigger(status="3^CAN", action="D", reason="PROVOUT^PROVIDER UNAVAILABLE", takes_place=False),
    "S26": _Trigger(status="4^NOS", action="U", takes_place=False),
}


def siu(appointment: Appointment, *, trigger: str, control_id: str, now: datetime) -> str:
    """Return the message with CR behind every segment.

    :param trigger: S12 booked, S13 moved, S14 changed otherwise, S15 cancelled, S26 not come.
    """
    event, provider = _TRIGGERS[trigger], PROVIDERS[appointment.provider]
    segments = [
        _header(appointment, trigger=trigger, control_id=control_id, now=now),
        _segment("SCH", _schedule(appointment, event, is_new=trigger == "S12")),
        _segment("PID", _patient(PATIENTS[appointment.patient], is_new=trigger == "S12", event=event)),
        _segment("PV1", {1: "1", 2: "O", 3: provider.department, 7: _person(provider), 19: appointment.csn}),
        _segment("RGS", {1: "1", 2: event.action}),
        _segment("AIS", {1: "1", 2: event.action, 3: _visit_type(appointment), **_times(appointment, first=4)}),
    ]
    if event.takes_place:
        segments += [
            _segment("AIL", {1: "1", 2: event.action, 3: provider.department, 4: "D^DEPARTMENT"}),
            _segment("AIP", _participant(appointment, provider, event)),
        ]
    return "".join(f"{segment}\r" for segment in segments)


def _header(appointment: Appointment, *, trigger: str, control_id: str, now: datetime) -> str:
    sent, processing = _local(now), _PROCESSING.get(appointment.environment, "T")
    return f"MSH|^~\\&|EPIC|LAMNA|EHRCONNECTOR|LAMNA|{sent}||SIU^{trigger}|{control_id}|{processing}|{VERSION}"


def _schedule(appointment: Appointment, event: _Trigger, *, is_new: bool) -> Fields:
    return {
        1: appointment.csn,
        2: appointment.csn,
        7: event.reason,
        8: _visit_type(appointment),
        9: str(appointment.minutes),
        10: "MIN",
        11: f"^^^{_local(appointment.starts_at)}",
        12: _BOOKER if event.takes_place else "",
        13: _BOOKER_PHONE if is_new else "",
        25: event.status,
    }


def _visit_type(appointment: Appointment) -> str:
    return GROUP_VISIT_TYPE if appointment.is_group else VISIT_TYPE


def _patient(patient: Patient, *, is_new: bool, event: _Trigger) -> Fields:
    who = {
        1: "1",
        3: f"{patient.mrn}^^^LAMNAMRN^MR",
        5: f"{patient.family}^{patient.given}^^^^^L",
        7: patient.birth_date,
        8: patient.sex,
    }
    if not event.takes_place:
        return who
    return {**who, 11: patient.address if is_new else "", 13: _phones(patient), 15: patient.language}


def _phones(patient: Patient) -> str:
    written = (
        (patient.home_phone, "^PRN^PH"),
        (patient.mobile, "^PRN^CP"),
        (f"^NET^Internet^{patient.email}" if patient.email else "", ""),
    )
    return "~".join(value + kind for value, kind in written if value)


def _participant(appointment: Appointment, provider: Provider, event: _Trigger) -> Fields:
    times = _times(appointment, first=6)
    return {1: "1", 2: event.action, 3: _person(provider), 4: "1^PHYSICIAN", **times}


def _person(provider: Provider) -> str:
    return f"{provider.number}^{provider.family}^{provider.given}^^^^MD"


def _times(appointment: Appointment, *, first: int) -> Fields:
    """Return start, offset and duration, which stand in the same order in AIS and AIP."""
    values = (_local(appointment.starts_at), "0", "MIN", str(appointment.minutes), "MIN")
    return dict(enumerate(values, start=first))


def _segment(name: str, fields: Fields) -> str:
    segment = Segment(name, version=VERSION)
    for number, value in fields.items():
        for repetition in value.split("~") if value else ():
            segment.add_field(f"{name}_{number}".lower()).value = repetition
    return str(segment.to_er7())


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%Y%m%d%H%M%S}"
