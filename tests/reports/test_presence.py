from datetime import timedelta

import pytest

from meetings.models import PresenceEvent
from reports.services.presence import attendance
from tests.reports.conftest import at

pytestmark = pytest.mark.django_db


def figures():
    return attendance(list(PresenceEvent.objects.standing().select_related("participant")))


def test_a_visit_as_it_should_be(happen):
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    happen("patient", "connected", 72)
    happen("patient", "disconnected", 900)
    happen("provider", "disconnected", 960)
    seen = figures()
    assert (seen.started_at, seen.ended_at) == (at(72), at(960))
    assert seen.duration == timedelta(seconds=888)
    assert seen.lobby_wait == timedelta(seconds=72)
    assert (seen.total, seen.peak, seen.present_now) == (2, 2, 0)
    assert seen.has_met


def test_nobody_came():
    seen = figures()
    assert (seen.total, seen.peak, seen.has_met, seen.lobby_wait) == (0, 0, False, None)
    assert seen.duration == timedelta()


def test_a_patient_who_still_waits(happen):
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    seen = figures()
    assert seen.waiting_since == at(0)
    assert (seen.lobby_wait, seen.has_patient, seen.has_provider) == (None, False, True)


def test_a_patient_who_gave_up_in_the_lobby_never_met_anybody(happen):
    happen("patient", "lobby_entered", 0)
    happen("patient", "left_lobby", 600)
    happen("provider", "connected", 700)
    seen = figures()
    assert (seen.waiting_since, seen.has_met, seen.total) == (None, False, 1)


def test_the_wait_ends_when_anybody_is_let_in(happen):
    happen("patient", "lobby_entered", 0, ordinal=1)
    happen("patient", "lobby_entered", 10, ordinal=2)
    happen("provider", "connected", 20)
    happen("patient", "connected", 30, ordinal=2)
    assert figures().lobby_wait == timedelta(seconds=30)


def test_two_providers_alone_are_no_visit(happen):
    happen("provider", "connected", 0, ordinal=1)
    happen("provider", "connected", 5, ordinal=2)
    seen = figures()
    assert (seen.has_met, seen.total, seen.peak) == (False, 2, 2)


def test_somebody_who_comes_back_is_one_person(happen):
    happen("provider", "connected", 0)
    happen("patient", "connected", 5)
    happen("patient", "disconnected", 50)
    happen("patient", "connected", 60)
    seen = figures()
    assert (seen.total, seen.peak, seen.present_now) == (2, 2, 2)
    assert seen.duration == timedelta()  # it is not over


def test_what_was_disproved_later_does_not_count(happen):
    happen("provider", "connected", 0)
    wrong = happen("patient", "connected", 5)
    PresenceEvent.objects.filter(pk=wrong.pk).update(is_superseded=True)
    assert not figures().has_met
