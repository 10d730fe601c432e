import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.models import Role
from core.models import AuditEvent
from meetings.models import Meeting, PresenceEvent
from reports.services import refreshing
from tests.factories import make_staff
from writeback import tasks
from writeback.models import WritebackEvent
from writeback.services import ledger
from writeback.services.ledger import Gap

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


@pytest.fixture
def accept():
    """Epic accepts everything that waits."""
    return lambda: WritebackEvent.objects.filter(state=State.PENDING).update(state=State.ACCEPTED)


@pytest.fixture
def gaps(meeting, now):
    """End the meeting, compare, and return the differences as (gap, kind)."""

    def compare(after=timedelta(hours=2)):
        Meeting.objects.update(ended_at=now, state="ended")
        meetings = ledger.ended_meetings(meeting.organization, since=now - timedelta(days=1), until=now + after)
        return [(found.gap, found.kind) for found in ledger.differences(meetings, now=now + after)]

    return compare


def from_report(participant):
    PresenceEvent.objects.filter(participant=participant).update(source="attendance")


def test_what_was_told_in_order_differs_in_nothing(tell, provider, accept, gaps):
    for kind in (Kind.LOBBY_ENTERED, Kind.CONNECTED, Kind.DISCONNECTED):
        tell(provider, kind)
    accept()
    assert gaps() == []


@pytest.mark.parametrize("state", ["failed", "unknown", "not_sendable", "handled", "pending"])
def test_what_epic_did_not_accept_is_a_difference(tell, provider, gaps, state, accept):
    tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.update(state=state)
    tell(provider, Kind.DISCONNECTED)
    WritebackEvent.objects.filter(kind="disconnected").update(state=State.ACCEPTED)
    assert gaps() == [(Gap.NOT_TOLD, "connected")]


def test_what_is_on_its_way_for_a_moment_is_none(tell, provider, gaps):
    tell(provider, Kind.CONNECTED)
    assert gaps(after=timedelta(minutes=5)) == []


def test_what_only_the_report_knew_is_told_late_and_says_so(tell, provider, accept, gaps):
    tell(provider, Kind.CONNECTED)
    tell(provider, Kind.DISCONNECTED)
    accept()
    from_report(provider)
    assert gaps() == [(Gap.CORRECTED, "connected"), (Gap.CORRECTED, "disconnected")]


def test_a_stay_that_was_over_when_we_heard_of_it_is_named_though_not_told(tell, provider, accept, gaps, now):
    tell(provider, Kind.CONNECTED, now)
    tell(provider, Kind.DISCONNECTED, now + timedelta(minutes=9))
    accept()
    PresenceEvent.objects.create(
        participant=provider, kind=Kind.DISCONNECTED, sequence=3, at=now + timedelta(minutes=2), created_at=now
    )
    PresenceEvent.objects.create(
        participant=provider, kind=Kind.CONNECTED, sequence=4, at=now + timedelta(minutes=4), created_at=now
    )
    assert gaps() == [(Gap.LEFT_OUT, "disconnected"), (Gap.LEFT_OUT, "connected")]


def test_what_was_disproved_after_epic_was_told_is_named(tell, provider, accept, gaps):
    tell(provider, Kind.CONNECTED)
    tell(provider, Kind.DISCONNECTED)
    tell(provider, Kind.CONNECTED)
    tell(provider, Kind.DISCONNECTED)
    accept()
    PresenceEvent.objects.filter(sequence__in=[2, 3]).update(is_superseded=True)
    assert gaps() == [(Gap.DISPROVED, "disconnected"), (Gap.DISPROVED, "connected")]


def test_a_meeting_without_a_report_is_named(gaps, meeting):
    Meeting.objects.update(reconcile_error="graph.no_attendance_report")
    assert gaps() == [(Gap.NO_REPORT, "")]


def test_a_wrong_last_status_is_set_right_once_and_audited(tell, provider, accept, gaps, meeting, now):
    tell(provider, Kind.CONNECTED)
    accept()
    PresenceEvent.objects.create(  # it never reached the outbox
        participant=provider, kind=Kind.DISCONNECTED, sequence=2, at=now + timedelta(minutes=5), created_at=now
    )
    assert (Gap.WRONG_STATUS, "disconnected") in gaps()
    meetings = ledger.ended_meetings(meeting.organization, since=now - timedelta(days=1), until=now + timedelta(days=1))
    for _ in range(2):
        ledger.reconcile(meetings, actor="system", now=now + timedelta(hours=2))
    row = WritebackEvent.objects.get(kind="disconnected")
    assert (row.state, row.source, row.sequence) == (State.PENDING, "attendance", 2)
    assert AuditEvent.objects.filter(action="writeback.reconciled").first().data["differences"]["wrong_status"] == 1


def test_the_night_looks_once(tell, provider, accept, gaps, monkeypatch):
    runs = []
    monkeypatch.setattr(ledger, "reconcile", lambda meetings, **_: runs.append(meetings))
    tasks.reconcile()
    tasks.reconcile()
    assert len(runs) == 1


def test_the_command_prints_every_difference(tell, provider, gaps, visit):
    tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.update(state=State.FAILED)
    gaps()
    out = io.StringIO()
    call_command("reconcile_visits", "--no-reports", "--visit", visit.reference.lower(), stdout=out)
    assert f"{visit.reference}  " in out.getvalue()
    assert "not_told  Provider 1 connected failed" in out.getvalue()
    assert "1 visits compared: 1 not_told" in out.getvalue()


@pytest.mark.parametrize("name", ["reports:differences", "reports:differences_csv"])
def test_page_and_file_show_the_hospitals_own_differences(client, tell, provider, gaps, visit, name, now):
    tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.update(state=State.FAILED)
    gaps()
    refreshing.refresh(now=now)
    client.force_login(make_staff(visit.organization, Role.REPORT_READER))
    text = client.get(reverse(name)).getvalue().decode()
    for words in (visit.session_id, "Provider 1", "Connected", "Not told"):
        assert words in text, words


def test_many_visits_need_no_more_queries_than_one(tell, provider, gaps, meeting, now, django_assert_max_num_queries):
    tell(provider, Kind.CONNECTED)
    gaps()
    with django_assert_max_num_queries(6):
        found = ledger.ended_meetings(meeting.organization, since=now - timedelta(days=1), until=now + timedelta(1))
        ledger.differences(found, now=now)
