"""Put invented visits into the database as if everything had happened: many rows with one statement."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from config_portal.models import FhirEndpoint, Organization
from core import crypto
from ehrconnector.history.calls import Call, call_of
from ehrconnector.history.plot import PROVIDER, Plot, Text, plots
from launch.models import DeviceTest, LaunchAttempt
from meetings.models import Meeting, Participant, PresenceEvent
from meetings.services.participants import ehr_user_index_in
from reports.models import CallRecord, CallStream
from reports.services import refreshing
from sms.models import PhoneNumber, SmsMessage
from visits.models import Visit
from visits.services.scheduling import session_index
from writeback.models import WritebackEvent
from writeback.services import outbox

BATCH = 500
BOOKED_AHEAD = timedelta(days=9)
# Sent by the carrier, whatever became of them afterwards.
_SENT = {"delivered", "accepted", "undelivered"}


@dataclass
class _Rows:
    """What one batch adds; the order of the fields is that in which it has to be stored."""

    visits: list[Visit] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    people: list[Participant] = field(default_factory=list)
    presence: list[PresenceEvent] = field(default_factory=list)
    texts: list[SmsMessage] = field(default_factory=list)
    launches: list[LaunchAttempt] = field(default_factory=list)
    tests: list[DeviceTest] = field(default_factory=list)
    told: list[WritebackEvent] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    streams: list[CallStream] = field(default_factory=list)

    def add_call(self, call: Call) -> None:
        """Add what Teams and the patient's browser said of a visit."""
        self.records.append(call.record)
        self.streams += call.streams
        self.launches += [call.launch] if call.launch else []
        self.tests += [call.test] if call.test else []

    @transaction.atomic
    def store(self) -> None:
        """Store everything, and let it look as old as it is."""
        for one in fields(self):
            listed: Sequence[Any] = getattr(self, one.name)
            if listed:
                type(listed[0])._default_manager.bulk_create(listed, batch_size=2_000)
        mine = {"visit__in": [visit.pk for visit in self.visits]}
        Visit.objects.filter(pk__in=mine["visit__in"]).update(created_at=F("starts_at") - BOOKED_AHEAD)
        SmsMessage.objects.filter(**mine).update(created_at=F("due_at"))
        LaunchAttempt.objects.filter(**mine).update(created_at=F("finished_at"))
        WritebackEvent.objects.filter(**mine).update(created_at=F("occurred_at"))


def is_told(organization: Organization, *, seed: int) -> bool:
    """Return whether the history of ``seed`` is there already."""
    first = next(plots(visits=1, days=1, seed=seed, today=datetime.now(ZoneInfo("UTC")).date(), zone=ZoneInfo("UTC")))
    indexes = [session_index(endpoint, first.session_id) for endpoint in organization.endpoints.all()]
    return Visit.objects.for_organization(organization).filter(session_index__in=indexes).exists()


def tell(organization: Organization, *, visits: int, days: int, seed: int, now: datetime) -> None:
    """Add ``visits`` visits of the last ``days`` days, and bring the reports up to date."""
    zone = ZoneInfo(organization.time_zone)
    invented = plots(visits=visits, days=days, seed=seed, today=now.astimezone(zone).date(), zone=zone)
    stage = _Stage(organization)
    while batch := list(islice(invented, BATCH)):
        stage.rows(batch).store()
    refreshing.refresh(now=now)


class _Stage:
    """Where the visits take place."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        with_version = organization.endpoints.select_related("approved_version")
        self.test = with_version.filter(environment="test").order_by("name").first()
        self.production = with_version.filter(environment="production").order_by("name").first() or self.test
        self.number = PhoneNumber.objects.for_organization(organization).filter(released_at=None).first()

    def rows(self, batch: Sequence[Plot]) -> _Rows:
        """Return the rows of some visits."""
        rows = _Rows()
        for plot in batch:
            endpoint = self.test if plot.is_test else self.production
            assert endpoint is not None  # noqa: S101 - the command has looked
            visit = self._visit(plot, endpoint)
            rows.visits.append(visit)
            rows.texts += [self._message(visit, plot, text, number) for number, text in enumerate(plot.texts)]
            if plot.outcome == "technical_failure":
                rows.launches.append(_refused(visit, plot))
            if plot.steps:
                self._meet(visit, plot, rows)
        return rows

    def _visit(self, plot: Plot, endpoint: FhirEndpoint) -> Visit:
        return Visit(
            id=plot.id,
            organization=self.organization,
            endpoint=endpoint,
            session_id=plot.session_id,
            session_index=session_index(endpoint, plot.session_id),
            state=Visit.State.CANCELLED if plot.outcome == "cancelled" else Visit.State.SCHEDULED,
            starts_at=plot.starts_at,
            ends_at=plot.starts_at + timedelta(minutes=plot.minutes),
            time_zone=self.organization.time_zone,
            visit_type=plot.visit_type,
            visit_type_name=plot.visit_type_name,
            department=plot.department,
            reference=_reference(plot.id),
        )

    def _message(self, visit: Visit, plot: Plot, text: Text, number: int) -> SmsMessage:
        due_at = plot.starts_at - (timedelta(minutes=text.offset_minutes) if text.offset_minutes else BOOKED_AHEAD)
        is_sent = text.state in _SENT
        return SmsMessage(
            id=uuid.uuid5(plot.id, f"text {number}"),
            organization=self.organization,
            visit=visit,
            kind=text.kind,
            visit_version=1,
            contact_revision=1,
            offset_minutes=text.offset_minutes,
            state=text.state,
            report_status=text.status,
            supplier_code=text.code,
            supplier=self.number.supplier if self.number else "",
            number=self.number,
            segments=text.segments if is_sent else 0,
            attempts=0 if text.state in {"suppressed", "expired"} else 1,
            due_at=due_at,
            expires_at=plot.starts_at,
            first_sent_at=due_at if is_sent else None,
            accepted_at=due_at if is_sent else None,
            delivered_at=due_at + timedelta(seconds=text.seconds_to_phone) if text.state == "delivered" else None,
            finished_at=due_at,
        )

    def _meet(self, visit: Visit, plot: Plot, rows: _Rows) -> None:
        moments = [plot.starts_at + timedelta(seconds=seconds) for *_, seconds in plot.steps]
        meeting = self._meeting(visit, plot, first=min(moments), last=max(moments))
        rows.meetings.append(meeting)
        for role, ordinal in dict.fromkeys((role, ordinal) for role, ordinal, *_ in plot.steps):
            person = _person(meeting, plot, role, ordinal)
            events = list(_events(person, plot, role, ordinal))
            rows.people.append(person)
            rows.presence += events
            rows.told += [
                _told(visit, meeting, person, kind, event) for kind, event in outbox.owed(visit.endpoint, events)
            ]
        if plot.outcome == "completed":
            rows.add_call(call_of(visit, plot, meeting))

    def _meeting(self, visit: Visit, plot: Plot, *, first: datetime, last: datetime) -> Meeting:
        tenant = self.organization.teams_tenant
        nobody = uuid.UUID(int=0)
        return Meeting(
            id=uuid.uuid5(plot.id, "meeting"),
            organization=self.organization,
            visit=visit,
            external_id=crypto.index(str(plot.id), purpose="history.meeting"),
            tenant_id=tenant.tenant_id,
            client_id=tenant.client_id or nobody,
            organizer_object_id=tenant.organizer_object_id or nobody,
            state=Meeting.State.ENDED,
            call_ends=[last],
            created_at=first - timedelta(minutes=10),
            started_at=first,
            ended_at=last,
            reconciled_at=last + timedelta(minutes=3),
        )


def _person(meeting: Meeting, plot: Plot, role: str, ordinal: int) -> Participant:
    ehr_id = plot.provider if role == PROVIDER else ""
    return Participant(
        id=uuid.uuid5(plot.id, f"{role} {ordinal}"),
        organization_id=meeting.organization_id,
        meeting=meeting,
        role=role,
        ordinal=ordinal,
        ehr_user_id=ehr_id,
        ehr_user_index=ehr_user_index_in(meeting.organization_id, ehr_id) if ehr_id else "",
        state=Participant.State.LEFT,
        state_at=meeting.ended_at or meeting.created_at,
        created_at=meeting.created_at,
    )


def _events(person: Participant, plot: Plot, role: str, ordinal: int) -> Iterator[PresenceEvent]:
    mine = sorted((seconds, kind) for one, which, kind, seconds in plot.steps if (one, which) == (role, ordinal))
    for sequence, (seconds, kind) in enumerate(mine, start=1):
        at = plot.starts_at + timedelta(seconds=seconds)
        event_id = uuid.uuid5(person.pk, str(sequence))
        yield PresenceEvent(id=event_id, participant=person, kind=kind, sequence=sequence, at=at, created_at=at)


def _told(visit: Visit, meeting: Meeting, person: Participant, kind: str, event: PresenceEvent) -> WritebackEvent:
    return WritebackEvent(
        id=uuid.uuid5(event.pk, "told"),
        organization_id=visit.organization_id,
        endpoint_id=visit.endpoint_id,
        visit=visit,
        meeting=meeting,
        participant=person,
        kind=kind,
        sequence=event.sequence,
        occurred_at=event.at,
        state=WritebackEvent.State.ACCEPTED,
        due_at=event.at,
        attempts=1,
        finished_at=event.at + timedelta(seconds=1),
        response_ms=120,
        http_status=200,
    )


def _refused(visit: Visit, plot: Plot) -> LaunchAttempt:
    return LaunchAttempt(
        id=uuid.uuid5(plot.id, "launch"),
        organization_id=visit.organization_id,
        endpoint_id=visit.endpoint_id,
        visit=visit,
        audience=LaunchAttempt.Audience.PROVIDER,
        role=PROVIDER,
        state=LaunchAttempt.State.REFUSED,
        error_code="graph.unavailable",
        reference=_reference(uuid.uuid5(plot.id, "launch")),
        finished_at=plot.starts_at,
    )


def _reference(one: uuid.UUID) -> str:
    """Return a reference number like those of real visits, always the same for ``one``."""
    letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    number = one.int
    picked = "".join(letters[(number >> 5 * place) % len(letters)] for place in range(10))
    return f"{picked[:3]}-{picked[3:6]}-{picked[6:]}"
