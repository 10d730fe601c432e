from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import UpstreamUnavailable
from meetings.models import Meeting
from meetings.providers.base import AttendanceReport, CallEvent, CallEventKind
from meetings.services import leases, presence, reconciling, subscriptions
from tests.factories import make_scheduled, make_visit
from tests.meetings.rows import make_meeting
from visits.services.scheduling import schedule_visit

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


class Teams:
    """Hands out ``reports`` or raises ``error``."""

    def __init__(self):
        self.reports, self.error, self.asked = [], None, 0

    def attendance_reports(self, meeting_id, *, organizer_object_id):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.reports


@pytest.fixture
def teams(monkeypatch):
    teams = Teams()
    monkeypatch.setattr(reconciling, "provider_of", lambda _meeting: teams)
    return teams


@pytest.fixture
def meeting(teams):
    return make_meeting(make_visit(starts_at=NOW - timedelta(minutes=20)))


def run(now) -> Meeting:
    for meeting in leases.claim_due(reconciling.WORK, now=now):
        reconciling.reconcile(meeting, now=now)
    return Meeting.objects.select_related("visit").get()


def end(meeting, *, at=NOW):
    presence.record(meeting, CallEvent(kind=CallEventKind.ENDED, at=at), now=at)


def report(*, ended_at=NOW):
    return AttendanceReport(id="r", started_at=ended_at - timedelta(minutes=9), ended_at=ended_at, records=())


def test_a_meeting_that_ended_is_looked_at_once_its_report_may_be_there(meeting, teams):
    end(meeting)
    assert Meeting.objects.get().reconcile_due_at == NOW + reconciling.REPORTS_AFTER
    teams.reports = [report()]
    at = NOW + reconciling.REPORTS_AFTER
    after = run(at)
    assert (after.reconciled_at, after.reconcile_error) == (at, "")
    assert after.reconcile_due_at == subscriptions.over_at(after)  # somebody may come back


def test_a_report_that_is_late_is_waited_for(meeting, teams):
    end(meeting)
    at = NOW + timedelta(minutes=2)
    after = run(at)
    assert (after.reconciled_at, after.reconcile_error) == (None, "graph.no_attendance_report")
    assert at < after.reconcile_due_at < at + timedelta(minutes=1)
    teams.reports = [report()]
    assert run(after.reconcile_due_at).reconcile_error == ""


def test_a_report_that_never_comes_is_given_up_after_a_day(meeting, teams):
    end(meeting)
    after = run(subscriptions.over_at(meeting) + reconciling.GIVE_UP_AFTER)
    assert (after.reconcile_due_at, after.reconcile_error) == (None, "graph.no_attendance_report")


def test_a_graph_that_asks_to_wait_is_asked_again_then(meeting, teams):
    end(meeting)
    teams.error = UpstreamUnavailable("graph.throttled", retry_after=90)
    at = NOW + timedelta(minutes=2)
    after = run(at)
    assert (after.reconcile_error, after.reconcile_due_at) == ("graph.throttled", at + timedelta(seconds=90))


def test_a_meeting_of_which_nothing_was_heard_is_looked_at_when_the_visit_is_over(meeting, teams):
    reconciling.expect_silence(meeting)
    over = subscriptions.over_at(meeting)
    run(over - timedelta(seconds=1))
    assert teams.asked == 0
    teams.reports = [report()]
    after = run(over)
    assert (after.state, after.ended_at) == (Meeting.State.ENDED, NOW)
    assert run(after.reconcile_due_at).reconcile_due_at is None


def test_without_live_events_reports_are_read_as_soon_as_the_visits_time_has_passed(meeting, teams, settings):
    settings.GRAPH_MEETING_EVENTS = False
    reconciling.expect_silence(meeting)
    at = meeting.visit.ends_at + reconciling.REPORTS_AFTER
    after = run(at)
    assert (teams.asked, after.reconcile_due_at) == (1, at + reconciling.LOOK_EVERY)


def test_a_moved_visit_is_looked_at_after_its_new_time(meeting, teams):
    later = make_scheduled(starts_at=NOW + timedelta(days=3), changed_at=NOW)
    schedule_visit(meeting.visit.endpoint, later, now=NOW)
    after = Meeting.objects.select_related("visit").get()
    assert after.reconcile_due_at == subscriptions.over_at(after)


def test_a_meeting_that_is_gone_has_nothing_to_read(meeting, teams):
    end(meeting)
    Meeting.objects.update(graph_id=None)
    assert run(NOW + timedelta(minutes=2)).reconcile_due_at is None
    assert teams.asked == 0
