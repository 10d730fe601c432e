import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from meetings.models import Meeting, Subscription
from meetings.services import preparing
from meetings.services.meetings import ensure_meeting
from tests.factories import approve, make_endpoint, make_visit
from tests.meetings.background import bring_in_line
from visits.models import Visit
from visits.services.scheduling import end_visit

pytestmark = pytest.mark.django_db


def in_minutes(minutes):
    return timezone.now() + timedelta(minutes=minutes)


def test_a_visit_that_may_soon_be_joined_finds_its_meeting_made_and_listened_to(peer):
    visit = make_visit(starts_at=in_minutes(39))  # the window opens 30 minutes before the start
    assert preparing.prepare_due(now=timezone.now()) == 1
    bring_in_line()
    meeting = Meeting.objects.get()
    assert (meeting.visit, meeting.state, meeting.sync_due_at) == (visit, Meeting.State.READY, None)
    assert Subscription.objects.get().attempts == 1
    assert preparing.prepare_due(now=timezone.now()) == 0
    ensure_meeting(visit, now=timezone.now())
    assert peer.calls["create"] == 1


@pytest.mark.parametrize("minutes", [-1, 42])
def test_visits_that_began_or_are_far_away_are_left(peer, minutes):
    make_visit(starts_at=in_minutes(minutes))
    assert preparing.prepare_due(now=timezone.now()) == 0


def test_nothing_is_prepared_for_a_visit_that_does_not_take_place(peer):
    visit = make_visit(starts_at=in_minutes(20))
    end_visit(
        visit.endpoint, visit.session_id, state=Visit.State.CANCELLED, changed_at=timezone.now(), now=timezone.now()
    )
    assert preparing.prepare_due(now=timezone.now()) == 0


def test_a_visit_cancelled_between_entering_and_making_gets_no_meeting(peer):
    visit = make_visit(starts_at=in_minutes(20))
    preparing.prepare_due(now=timezone.now())
    end_visit(
        visit.endpoint, visit.session_id, state=Visit.State.CANCELLED, changed_at=timezone.now(), now=timezone.now()
    )
    bring_in_line()
    assert Meeting.objects.get().graph_id is None
    assert peer.calls["create"] == 0


@pytest.mark.parametrize("change", [{"is_paused": True}, {"approved_version": None}])
def test_an_endpoint_that_does_not_run_prepares_nothing(peer, change):
    visit = make_visit(starts_at=in_minutes(20))
    type(visit.endpoint).objects.update(**change)
    assert preparing.prepare_due(now=timezone.now()) == 0


def test_whose_meeting_it_will_be_is_not_known_before_the_first_provider_comes(peer):
    endpoint = make_endpoint(approved=False)
    tenant = endpoint.organization.teams_tenant
    tenant.organizer_mode = "first_provider"
    tenant.save()
    approve(endpoint)
    make_visit(endpoint, starts_at=in_minutes(20))
    assert preparing.prepare_due(now=timezone.now()) == 0


def test_a_teams_that_is_away_is_asked_again_later(peer):
    make_visit(starts_at=in_minutes(20))
    preparing.prepare_due(now=timezone.now())
    peer.refuse(429, {"Retry-After": "30"})
    now = timezone.now()
    bring_in_line(now)
    meeting = Meeting.objects.get()
    assert (meeting.state, meeting.error_code) == (Meeting.State.CREATING, "graph.throttled")
    assert meeting.sync_due_at == now + timedelta(seconds=30)


def test_a_visit_that_nobody_knew_has_its_meeting_made_by_a_worker(peer, django_capture_on_commit_callbacks, sent):
    visit = make_visit()
    with django_capture_on_commit_callbacks(execute=True):
        preparing.prepare(visit, now=timezone.now())
    meeting = Meeting.objects.get()
    assert sent == [("meetings.synchronize", (str(meeting.pk),))]
    assert peer.calls.total() == 0
    bring_in_line()
    meeting.refresh_from_db()
    assert (meeting.state, meeting.sync_due_at) == (Meeting.State.READY, None)


def test_a_ready_meeting_wakes_nobody(peer, django_capture_on_commit_callbacks, sent):
    visit = make_visit(starts_at=in_minutes(20))
    ensure_meeting(visit, now=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        preparing.prepare(visit, now=timezone.now())
    assert sent == []


def test_a_meeting_that_failed_is_tried_again_at_once_when_somebody_wants_it(peer):
    visit = make_visit(starts_at=in_minutes(20))
    peer.refuse(503)
    preparing.prepare(visit, now=timezone.now())
    bring_in_line()
    meeting = Meeting.objects.get()
    assert meeting.error_code
    assert meeting.sync_due_at > timezone.now()
    now = timezone.now()
    preparing.prepare(visit, now=now)
    assert Meeting.objects.get().sync_due_at == now


def test_whoever_joins_before_the_worker_makes_the_only_meeting(peer):
    visit = make_visit(starts_at=in_minutes(20))
    preparing.prepare(visit, now=timezone.now())
    made = ensure_meeting(visit, now=timezone.now())
    bring_in_line()
    assert peer.calls["create"] == 1
    assert Meeting.objects.get().graph_id == made.graph_id


def test_the_first_provider_who_opens_a_visit_owns_its_meeting_whoever_joins_first(peer):
    endpoint = make_endpoint(approved=False)
    tenant = endpoint.organization.teams_tenant
    tenant.organizer_mode = "first_provider"
    tenant.save()
    approve(endpoint)
    visit, (first, second) = make_visit(endpoint), (uuid.uuid4(), uuid.uuid4())
    preparing.prepare(visit, now=timezone.now(), opened_by=first)
    assert ensure_meeting(visit, now=timezone.now(), opened_by=second).organizer_object_id == first
