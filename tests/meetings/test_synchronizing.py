from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import UpstreamRejected, UpstreamUnavailable
from meetings.models import Meeting
from meetings.providers.base import PatientLink
from meetings.services import leases, synchronizing
from meetings.services.meetings import ensure_meeting, external_id
from tests.factories import make_scheduled, make_visit
from tests.meetings.rows import make_meeting
from visits.models import Visit
from visits.services.scheduling import end_visit, schedule_visit

pytestmark = pytest.mark.django_db


class Teams:
    """Notes what it is asked; raises what it is told to, once."""

    def __init__(self):
        self.asked, self.error, self.meanwhile = [], None, lambda: None

    def _do(self, name, *values):
        self.asked.append((name, *values))
        self.meanwhile()
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def reschedule(self, meeting_id, *, organizer_object_id, starts_at, ends_at):
        self._do("move", meeting_id, starts_at, ends_at)

    def delete_meeting(self, meeting_id, *, organizer_object_id):
        self._do("delete", meeting_id)

    def patient_link(self, meeting, *, organizer_object_id):
        self._do("link", meeting.id)
        return PatientLink(url="https://visit.example.org/better")


@pytest.fixture
def teams(monkeypatch):
    teams = Teams()
    monkeypatch.setattr(synchronizing, "provider_of", lambda _meeting: teams)
    return teams


def run(now=None) -> Meeting:
    now = now or timezone.now()
    for meeting in leases.claim_due(synchronizing.WORK, now=now):
        synchronizing.bring_in_line(meeting, now=now)
    return Meeting.objects.select_related("visit").get()


def later(minutes):
    return timezone.now() + timedelta(minutes=minutes)


def cancel(visit, *, state=Visit.State.CANCELLED):
    end_visit(visit.endpoint, visit.session_id, state=state, changed_at=timezone.now(), now=timezone.now())


def move(visit, hours=2):
    starts_at = timezone.now().replace(microsecond=0) + timedelta(hours=hours)
    schedule_visit(visit.endpoint, make_scheduled(starts_at=starts_at, changed_at=timezone.now()), now=timezone.now())
    return starts_at


def test_a_meeting_in_line_is_left_alone(teams):
    make_meeting()
    run()
    assert teams.asked == []


@pytest.mark.parametrize("state", [Visit.State.CANCELLED, Visit.State.NO_SHOW])
def test_a_cancelled_visit_closes_its_meeting_at_once_and_deletes_it(teams, state):
    meeting = make_meeting()
    cancel(meeting.visit, state=state)
    meeting.refresh_from_db()
    assert meeting.state == Meeting.State.CANCELLED
    after = run()
    assert teams.asked == [("delete", meeting.graph_id)]
    assert (after.graph_id, after.join_web_url, after.patient_join_url, after.sync_due_at) == (None, None, None, None)


def test_a_cancelled_visit_that_never_had_a_meeting_is_nothing(teams):
    cancel(make_visit())
    assert not Meeting.objects.exists()


def test_a_moved_visit_moves_its_meeting(teams):
    meeting = make_meeting()
    starts_at = move(meeting.visit)
    run()
    assert teams.asked == [("move", meeting.graph_id, starts_at, starts_at + timedelta(minutes=30))]


def test_a_move_that_comes_while_teams_is_being_told_is_told_too(teams):
    meeting = make_meeting()
    move(meeting.visit)
    meanwhile = []

    def move_again():
        teams.meanwhile = lambda: None
        meanwhile.append(move(meeting.visit, hours=5))

    teams.meanwhile = move_again
    assert run().sync_due_at is not None
    run()
    assert [starts_at for _, _, starts_at, _ in teams.asked][-1] == meanwhile[0]


def test_throttling_is_waited_out(teams):
    meeting = make_meeting()
    move(meeting.visit)
    teams.error = UpstreamUnavailable("graph.throttled", retry_after=120)
    now = timezone.now()
    after = run(now)
    assert (after.sync_due_at, after.error_code) == (now + timedelta(seconds=120), "graph.throttled")
    assert run(later(1)).sync_due_at is not None
    after = run(later(3))
    assert (after.sync_due_at, after.error_code, after.sync_attempts) == (None, "", 0)


def test_failures_are_spaced_more_and_more(teams):
    meeting = make_meeting()
    cancel(meeting.visit)
    waits, now = [], timezone.now()
    for _ in range(4):
        teams.error = UpstreamUnavailable("graph.failing")
        due_at = run(now).sync_due_at
        waits.append((due_at - now).total_seconds())
        now = due_at
    assert waits == [5, 10, 20, 40]


def test_a_meeting_that_somebody_deleted_in_teams_is_made_anew_on_the_next_join(teams, peer):
    visit = make_visit()
    meeting = make_meeting(visit, external_id=external_id(visit, generation=1))
    move(visit)
    teams.error = UpstreamRejected("graph.rejected", status=404)
    after = run()
    assert (after.state, after.generation) == (Meeting.State.CREATING, 2)
    assert after.external_id != meeting.external_id
    assert ensure_meeting(visit, now=timezone.now()).is_joinable


def test_a_visit_that_takes_place_after_all_keeps_a_meeting_that_still_exists(teams):
    meeting = make_meeting()
    cancel(meeting.visit)
    move(meeting.visit)
    after = run()
    assert (after.state, after.graph_id) == (Meeting.State.READY, meeting.graph_id)
    assert [name for name, *_ in teams.asked] == ["move"]


def test_a_visit_that_takes_place_after_all_gets_a_new_meeting_when_the_old_one_is_gone(teams, peer):
    visit = make_visit()
    meeting = make_meeting(visit, external_id=external_id(visit, generation=1))
    cancel(visit)
    run()
    move(visit)
    visit.refresh_from_db()
    again = ensure_meeting(visit, now=timezone.now())
    assert (again.pk, again.generation) == (meeting.pk, 2)
    assert next(iter(peer.meetings)) == external_id(visit, generation=2)


def test_a_visit_that_comes_back_while_its_meeting_is_being_deleted_gets_a_new_one(teams):
    meeting = make_meeting()
    cancel(meeting.visit)

    def come_back():
        teams.meanwhile = lambda: None
        move(meeting.visit)

    teams.meanwhile = come_back
    after = run()
    assert (after.state, after.graph_id, after.generation) == (Meeting.State.CREATING, None, 2)


def test_a_better_link_for_patients_is_fetched_when_there_was_none(teams):
    make_meeting(patient_link_is_fallback=True, sync_due_at=timezone.now())
    after = run()
    assert (after.patient_join_url, after.patient_link_is_fallback) == ("https://visit.example.org/better", False)


def test_two_workers_do_not_take_the_same_meeting(teams):
    make_meeting(sync_due_at=timezone.now())
    assert len(leases.claim_due(synchronizing.WORK, now=timezone.now())) == 1
    assert leases.claim_due(synchronizing.WORK, now=timezone.now()) == []
    assert len(leases.claim_due(synchronizing.WORK, now=later(2))) == 1
