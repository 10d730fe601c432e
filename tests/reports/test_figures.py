"""What stands above a visit's timeline: its wait beside the day's, and its device test."""

from datetime import timedelta

import pytest
from django.urls import reverse

from launch.models import DeviceTest, LaunchAttempt
from reports.presenters.figures import Figures
from reports.presenters.visit import VisitPresenter
from reports.services import board, comparison
from reports.services.refreshing import refresh
from tests.factories import make_visit
from tests.meetings.rows import make_meeting
from tests.reports.conftest import NOW, START, at

pytestmark = pytest.mark.django_db(transaction=True)


def figures_of(visit, *, median_wait=None, test=None):
    shown = VisitPresenter(board.rows_of([visit])[0], at(0))
    return {label: figure for label, *figure in Figures(visit=shown, median_wait=median_wait, test=test).all}


def make_test(visit, **results):
    attempt = LaunchAttempt.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, audience="text"
    )
    checks = {**dict.fromkeys(DeviceTest.CHECKS, "passed"), **results}
    return DeviceTest.objects.create(
        organization=visit.organization, visit=visit, attempt=attempt, browser="safari", platform="ios",
        created_at=NOW, **checks,
    )  # fmt: skip


def test_the_wait_is_held_against_all_visits_of_the_day_in_the_organizations_zone(visit, happen):
    happen("patient", "lobby_entered", 0)
    happen("patient", "connected", 60)
    refresh(now=at(100))
    assert comparison.median_lobby_wait(visit) == timedelta(seconds=60)
    tomorrow = make_visit(visit.endpoint, session_id="2", starts_at=START + timedelta(days=1))
    make_meeting(tomorrow, created_at=START)
    assert comparison.median_lobby_wait(tomorrow) is None


def test_without_waits_the_figure_says_its_unit(visit):
    assert figures_of(visit)["Lobby wait"][1] == "minutes and seconds"
    assert figures_of(visit, median_wait=timedelta(seconds=110))["Lobby wait"][1] == "median of the day 1:50"


def test_a_device_test_that_was_passed_says_when_and_where(visit):
    make_test(visit, camera="failed")
    newest = make_test(visit)
    DeviceTest.objects.filter(pk=newest.pk).update(created_at=NOW + timedelta(minutes=1))
    value, note, tone = figures_of(visit, test=comparison.last_device_test(visit))["Device test"]
    assert (value, note, tone) == ("Passed", "Nov 24, 9:01 AM CST, Safari on iPhone or iPad", "")


def test_a_device_test_that_was_not_passed_names_what_did_not_work(visit):
    value, note, tone = figures_of(visit, test=make_test(visit, camera="refused", call="failed"))["Device test"]
    assert (value, note, tone) == ("Needs a look", "camera, call; Nov 24, 9:00 AM CST", "warn")


def test_the_page_shows_that_no_device_was_tested(staff, visit):
    page = staff.get(reverse("visits:detail", args=[visit.pk])).content.decode()
    assert "Device test" in page
    assert "not made" in page
