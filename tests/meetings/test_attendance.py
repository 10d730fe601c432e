"""Attendance reports correct what notifications told: what was lost, what never ended, and nothing else."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from meetings.models import Meeting, Participant, PresenceEvent
from meetings.providers.base import (
    AttendanceRecord,
    AttendanceReport,
    CallEvent,
    CallEventKind,
    Identity,
    RosterChange,
    Stay,
    Whereabouts,
)
from meetings.services import attendance, presence
from meetings.services.participants import expect
from tests.factories import TENANT_ID
from tests.meetings.rows import make_meeting

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 11, 24, 15, tzinfo=UTC)
PROVIDER = Identity(id=str(uuid.UUID(int=77)), tenant_id=str(TENANT_ID))
IN, LOBBY, OUT = Whereabouts.IN_CALL, Whereabouts.LOBBY, Whereabouts.GONE


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


@pytest.fixture
def meeting() -> Meeting:
    return make_meeting()


def hear(meeting, *events):
    """Take in ``(minute, device, whereabouts[, identity])``; ``(minute, "end")`` ends the call."""
    for minute, device, *rest in events:
        if device == "end":
            event = CallEvent(kind=CallEventKind.ENDED, at=at(minute))
        else:
            change = RosterChange(
                connection_id=device, whereabouts=rest[0], identity=rest[1] if len(rest) > 1 else Identity(id=device)
            )
            event = CallEvent(kind=CallEventKind.ROSTER, at=at(minute), changes=(change,))
        presence.record(meeting, event, now=timezone.now())


def report(*records, start=0, end=30, name="r1"):
    """Return a report of ``(identity, (join, leave), …)``; minutes."""
    return AttendanceReport(
        id=name,
        started_at=at(start),
        ended_at=at(end),
        records=tuple(
            AttendanceRecord(
                id=f"record-{number}",
                identity=identity,
                stays=tuple(Stay(joined_at=at(join), left_at=at(leave)) for join, leave in stays),
            )
            for number, (identity, *stays) in enumerate(records)
        ),
    )


def reconcile(meeting, *reports):
    return attendance.reconcile(meeting, reports, now=timezone.now())


def history(role, ordinal=1):
    participant = Participant.objects.get(role=role, ordinal=ordinal)
    events = participant.presence_events.standing()
    return [(event.kind, (event.at - NINE) / timedelta(minutes=1)) for event in events]


def whole_visit(meeting):
    expect(meeting, role="provider", ehr_user_id="AOKAFOR", now=NINE)
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(
        meeting,
        (0, "p", LOBBY),
        (2, "d", IN, PROVIDER),
        (3, "p", IN),
        (30, "p", OUT),
        (30, "d", OUT),
        (30, "end"),
    )


WHOLE = (PROVIDER, (2, 30)), (Identity(), (3, 30))


def test_a_report_that_agrees_changes_and_tells_nothing(meeting):
    whole_visit(meeting)
    assert reconcile(meeting, report((PROVIDER, (2.1, 30)), (Identity(), (3.2, 29.9)), start=2)) == []
    assert Participant.objects.count() == 2
    assert not PresenceEvent.objects.filter(is_superseded=True).exists()


def test_a_lost_admission_is_found(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(meeting, (0, "p", LOBBY), (2, "d", IN, PROVIDER), (30, "p", OUT), (30, "d", OUT), (30, "end"))
    assert history("patient") == [("lobby_entered", 0), ("left_lobby", 30)]
    told = reconcile(meeting, report(*WHOLE, start=2))
    assert [(event.kind, event.source) for event in told] == [
        ("connected", "attendance"),
        ("disconnected", "attendance"),
    ]
    assert history("patient") == [("lobby_entered", 0), ("connected", 3), ("disconnected", 30)]


def test_a_lost_departure_ends_when_the_person_really_left(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(meeting, (0, "p", IN), (0, "d", IN, PROVIDER), (30, "end"))
    reconcile(meeting, report((PROVIDER, (0, 30)), (Identity(), (0, 12))))
    assert history("patient") == [("connected", 0), ("disconnected", 12)]
    assert history("provider") == [("connected", 0), ("disconnected", 30)]


def test_somebody_of_whom_nothing_was_heard_is_there_afterwards(meeting):
    expect(meeting, role="provider", ehr_user_id="AOKAFOR", now=NINE)
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    reconcile(meeting, report(*WHOLE, start=2))
    assert history("provider") == [("connected", 2), ("disconnected", 30)]
    assert history("patient") == [("connected", 3), ("disconnected", 30)]
    meeting.refresh_from_db()
    assert (meeting.state, meeting.started_at, meeting.ended_at) == (Meeting.State.ENDED, at(2), at(30))


def test_an_absence_that_nobody_told_us_of_is_found(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(meeting, (0, "p", IN), (30, "p", OUT), (30, "end"))
    reconcile(meeting, report((Identity(), (0, 10), (20, 30))))
    expected = [("connected", 0), ("disconnected", 10), ("connected", 20), ("disconnected", 30)]
    assert history("patient") == expected


def test_the_time_of_a_second_device_counts(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(meeting, (0, "p", IN), (10, "p", OUT), (30, "end"))
    reconcile(meeting, report((Identity(), (0, 10), (5, 25))))
    assert history("patient") == [("connected", 0), ("disconnected", 25)]


def test_people_without_an_account_are_told_apart_by_when_they_were_there(meeting):
    for number, patient in enumerate(("eX", "eY")):
        expect(meeting, role="patient", ehr_user_id=patient, now=NINE + timedelta(seconds=number))
    hear(meeting, (0, "x", IN), (10, "x", OUT), (15, "y", IN), (30, "end"))
    reconcile(meeting, report((Identity(), (15, 22)), (Identity(), (0, 10))))
    assert history("patient", 1) == [("connected", 0), ("disconnected", 10)]
    assert history("patient", 2) == [("connected", 15), ("disconnected", 22)]
    assert Participant.objects.count() == 2


def test_whoever_no_report_names_stays_as_heard(meeting):
    whole_visit(meeting)
    before = history("patient")
    reconcile(meeting, report((PROVIDER, (2, 30)), start=2))
    assert history("patient") == before


def test_two_calls_are_two_reports(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(meeting, (0, "p", IN), (10, "p", OUT), (10, "end"), (20, "p", IN), (40, "end"))
    reconcile(
        meeting,
        report((Identity(), (0, 10)), end=10),
        report((Identity(), (20, 31)), start=20, end=40, name="r2"),
    )
    assert history("patient")[2:] == [("connected", 20), ("disconnected", 31)]


def test_doing_it_again_changes_nothing(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    hear(meeting, (0, "p", LOBBY), (30, "end"))
    one = report((PROVIDER, (2, 30)), (Identity(), (3, 12)), start=2)
    assert len(reconcile(meeting, one)) == 4
    assert reconcile(meeting, one) == []
    assert reconcile(meeting, one) == []


def test_late_notifications_after_the_report_are_no_second_visit(meeting):
    expect(meeting, role="patient", ehr_user_id="eX", now=NINE)
    reconcile(meeting, report((Identity(), (3, 30)), start=3))
    hear(meeting, (3, "p", IN), (30, "p", OUT))
    participant = Participant.objects.get(role="patient")
    assert history("patient") == [("connected", 3), ("disconnected", 30)]
    assert participant.presence_events.count() == 2


@pytest.mark.parametrize(("ends", "complete"), [([30], True), ([30.5], True), ([33], False), ([], True)])
def test_reports_are_complete_when_every_end_we_heard_has_one(meeting, ends, complete):
    meeting.call_ends = [at(end) for end in ends]
    assert attendance.is_complete(meeting, [report()]) is complete
