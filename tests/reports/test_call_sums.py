"""Sums of calls follow what comes, and equal a recomputation from the calls themselves that knows nothing of them."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from launch.models import DeviceTest, LaunchAttempt
from meetings.models import Participant
from meetings.services.participants import ehr_user_index_in
from reports.models import Calendar, CallDay, CallRecord, CallStream, Change, RepeatedCall
from reports.services import call_figures, call_quality, refreshing
from reports.services.asked import Asked, Period, recent
from tests.factories import make_endpoint, make_organization, make_visit
from tests.meetings.rows import make_meeting
from tests.reports.conftest import NOW, START, at
from visits.models import Visit

LATER = START + timedelta(days=6)
DAY = 86_400
POOR = {"jitter_ms": 50.0}


def called(visit, *streams, seconds=0):
    """Store a call of ``visit``; streams are verdict, is_staff, platform."""
    record = CallRecord.objects.create(
        organization=visit.organization, visit=visit, graph_id=uuid.uuid4(), version=1, started_at=at(seconds),
        ended_at=at(seconds + 60),
    )  # fmt: skip
    heard(record, streams)
    return record


def heard(record, streams):
    """Replace the streams of a call."""
    record.streams.all().delete()
    CallStream.objects.bulk_create(
        CallStream(
            record=record, kind="audio" if is_staff else "video", is_staff=is_staff, platform=platform, product="teams",
            network="wifi" if platform else "", verdict=verdict, due_to=["jitter_ms"] if verdict == "poor" else [],
        )
        for verdict, is_staff, platform in streams
    )  # fmt: skip
    counts = Counter(verdict for verdict, *_ in streams)
    record.good, record.poor, record.unclassified = counts["good"], counts["poor"], counts["unclassified"]
    record.save()


def checked(visit, seconds=-3600, **results):
    attempt, _ = LaunchAttempt.objects.get_or_create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, audience="text"
    )
    return DeviceTest.objects.create(
        organization=visit.organization, visit=visit, attempt=attempt, created_at=at(seconds), browser="safari",
        platform="ios", **(dict.fromkeys(DeviceTest.CHECKS, "passed") | results),
    )  # fmt: skip


def refreshed():
    assert refreshing.refresh(now=LATER)
    assert not Change.objects.exists()


def week(visit, **more):
    return Asked(organization=visit.organization, period=recent(visit.organization, days=7, now=LATER), **more)


def of_connection(asked):
    return {
        one.result: (one.visits, one.poor_visits)
        for one in call_figures.quality(asked).tests
        if one.check == "connection"
    }


@pytest.mark.django_db
def test_a_visit_with_calls_on_two_days_is_one_visit_on_each_and_in_both(visit):
    called(visit, ("good", True, "windows"), ("poor", False, "iOS"))
    called(visit, ("poor", True, "windows"), seconds=DAY)
    checked(visit, connection="poor")
    refreshed()
    whole = call_figures.quality(week(visit))
    assert (whole.calls, whole.visits, whole.poor_visits) == (2, 1, 1)
    assert of_connection(week(visit)) == {"poor": (1, 1)}
    second = START.date() + timedelta(days=1)
    one_day = replace(week(visit), period=Period(first=second, last=second))
    assert (call_figures.quality(one_day).visits, of_connection(one_day)) == (1, {"poor": (1, 1)})
    assert RepeatedCall.objects.count() == 2


@pytest.mark.django_db
def test_a_newer_version_replaces_what_was_summed(visit):
    record = called(visit, ("poor", False, "iOS"))
    refreshed()
    record.started_at = at(2 * DAY)
    heard(record, [("good", False, "android"), ("good", True, "windows")])
    refreshed()
    found = call_figures.quality(week(visit))
    assert (found.streams["good"], found.streams["poor"], found.poor_visits, found.due_to) == (2, 0, 0, Counter())
    assert list(found.by_day) == [START.date() + timedelta(days=2)]
    assert set(found.groups) == {"android", "windows"}


@pytest.mark.django_db
def test_a_call_that_is_removed_leaves_no_sum(visit):
    called(visit, ("good", False, "iOS"))
    again = called(visit, ("poor", False, "iOS"), seconds=DAY)
    refreshed()
    again.delete()
    refreshed()
    assert not RepeatedCall.objects.exists()
    assert {row.day for row in CallDay.objects.all()} == {START.date()}
    CallRecord.objects.all().delete()
    refreshed()
    assert not CallDay.objects.exists()


@pytest.mark.django_db
def test_a_late_device_test_and_a_later_call_move_what_tests_foretold(visit):
    called(visit, ("good", False, "iOS"))
    checked(visit)
    refreshed()
    assert of_connection(week(visit)) == {"passed": (1, 0)}
    checked(visit, seconds=-60, connection="poor")
    called(visit, ("poor", False, "iOS"), seconds=3 * DAY)
    refreshed()
    first = replace(week(visit), period=Period(first=START.date(), last=START.date()))
    assert of_connection(week(visit)) == of_connection(first) == {"poor": (1, 1)}


@pytest.mark.django_db
def test_verdicts_that_change_places_are_seen_although_their_number_stays(visit):
    record = called(visit, ("good", False, "iOS"), ("poor", True, "windows"))
    streams = list(record.streams.order_by("is_staff"))
    refreshed()
    streams[0].verdict, streams[1].verdict = "poor", "good"
    CallStream.objects.bulk_update(streams, ["verdict"])
    refreshed()
    by_platform = call_figures.quality(week(visit)).groups
    assert (by_platform["iOS"]["poor"], by_platform["windows"]["good"]) == (1, 1)


@pytest.mark.django_db
def test_new_thresholds_reach_the_sums(visit):
    record = called(visit, ("good", False, "iOS"))
    record.streams.update(kind="audio", measures=POOR)
    assert call_quality.judge_again(visit.organization) == 1
    refreshed()
    assert call_figures.quality(week(visit)).due_to == {"jitter_ms": 1}


@pytest.mark.django_db
def test_calls_move_to_the_department_of_their_visit(visit):
    called(visit, ("good", False, "iOS"))
    refreshed()
    Visit.objects.filter(pk=visit.pk).update(department="CARD")
    refreshed()
    assert set(call_figures.quality(week(visit), "department").groups) == {"CARD"}
    assert call_figures.quality(week(visit, department="CARD")).visits == 1
    assert call_figures.quality(week(visit, department=visit.department)).visits == 0


@pytest.mark.django_db
def test_what_was_there_before_is_summed_once_an_organization_is_new(visit):
    called(visit, ("good", False, "iOS"))
    called(visit, ("good", False, "iOS"), seconds=DAY)
    Change.objects.all().delete()
    refreshed()
    found = call_figures.quality(week(visit))
    assert (found.calls, found.visits) == (2, 1)


@pytest.mark.django_db
def test_only_news_of_the_measured_note_a_change(visit):
    test, record = checked(visit), called(visit, ("good", False, "iOS"))
    refreshed()
    DeviceTest.objects.filter(pk=test.pk).update(person_index="x")
    CallRecord.objects.filter(pk=record.pk).update(version=2)
    assert not Change.objects.exists()


@pytest.mark.django_db
def test_more_days_and_calls_add_no_query(visit):
    def queries():
        refreshed()
        with CaptureQueriesContext(connection) as captured:
            call_figures.quality(week(visit))
        return len(captured)

    called(visit, ("good", False, "iOS"))
    one = queries()
    for number in range(5):
        called(visit, ("poor", False, "iOS"), seconds=number * DAY)
    assert queries() == one


# --- The property: whatever happens in whatever order, sums say what a fresh look at the calls says. ---------------
MOMENT = st.integers(min_value=0, max_value=3 * DAY)
STREAMS = st.lists(
    st.tuples(
        st.sampled_from(["good", "poor", "unclassified"]), st.booleans(), st.sampled_from(["iOS", "windows", ""])
    ),
    max_size=4,
)
NUMBER = st.integers(0, 3)
STEP = st.one_of(
    st.tuples(st.just("call"), NUMBER, MOMENT, STREAMS),
    st.tuples(st.just("version"), NUMBER, MOMENT, STREAMS),
    st.tuples(st.just("gone"), NUMBER),
    st.tuples(st.just("test"), NUMBER, MOMENT, st.sampled_from(["passed", "poor", "failed"])),
    st.tuples(st.just("moved"), NUMBER, st.sampled_from(["LMFM", "CARD", ""])),
    st.tuples(st.just("other_visit"), NUMBER, NUMBER),
    st.tuples(st.just("zone"), st.sampled_from(["Asia/Tokyo", "America/Chicago"])),
)


class CallSumProperty(TestCase):
    """Refreshing after each batch, late news included, gives what one look at everything gives."""

    @settings(max_examples=25, deadline=None)
    @given(batches=st.lists(st.lists(STEP, max_size=8), min_size=1, max_size=4))
    def test_sums_of_calls_equal_the_raw_query(self, batches):
        organization = make_organization()
        endpoints = [make_endpoint(organization, with_sms=False) for _ in range(2)]
        visits = [
            make_visit(endpoints[number % 2], session_id=f"{number}", starts_at=START, department="LMFM")
            for number in range(4)
        ]
        for number, visit in enumerate(visits):
            provided(visit, f"P{number // 3}")
        for batch in batches:
            for kind, *step in batch:
                HAPPEN[kind](visits, *step)
            refreshed()
        for asked in every_question(organization, endpoints):
            assert told(asked) == recomputed(asked), asked


def provided(visit, provider):
    Participant.objects.create(
        organization=visit.organization, meeting=make_meeting(visit), role="provider", ordinal=1, state_at=NOW,
        created_at=NOW, ehr_user_index=ehr_user_index_in(visit.organization_id, provider),
    )  # fmt: skip


def some_call(number):
    records = list(CallRecord.objects.order_by("pk"))
    return records[number % len(records)] if records else None


def newer(visits, number, moment, streams):
    if record := some_call(number):
        record.version, record.started_at = record.version + 1, at(moment)
        heard(record, streams)


def gone(visits, number):
    if record := some_call(number):
        record.delete()


def given_to(visits, number, other):
    if record := some_call(number):
        CallRecord.objects.filter(pk=record.pk).update(visit=visits[other])


def in_zone(visits, name):
    organization = visits[0].organization
    organization.time_zone = name
    organization.save()


HAPPEN = {
    "call": lambda visits, number, moment, streams: called(visits[number], *streams, seconds=moment),
    "version": newer,
    "gone": gone,
    "test": lambda visits, number, moment, result: checked(visits[number], seconds=moment, connection=result),
    "moved": lambda visits, number, name: Visit.objects.filter(pk=visits[number].pk).update(department=name),
    "other_visit": given_to,
    "zone": in_zone,
}


def every_question(organization, endpoints):
    first = START.date()
    for calendar in Calendar.values:
        for begin, length in ((-1, 6), (1, 2)):
            since = first + timedelta(days=begin)
            period = Period(first=since, last=since + timedelta(days=length - 1), calendar=calendar)
            usual = Asked(organization=organization, period=period)
            yield usual
            yield from (replace(usual, status=status) for status in ("good", "poor", "unclassified"))
            yield replace(usual, department="CARD", status="poor")
            yield replace(usual, endpoint_id=endpoints[1].pk)
            yield replace(usual, provider="P0")
            yield replace(usual, provider="P0", department="LMFM", status="good")


def told(asked):
    found = call_figures.quality(asked)
    return {
        "calls": found.calls,
        "visits": found.visits,
        "poor_visits": found.poor_visits,
        "streams": +found.streams,
        "by_day": {day: +counts for day, counts in found.by_day.items()},
        "due_to": +found.due_to,
        **{group: cleaned(call_figures.quality(asked, group).groups) for group in call_figures.GROUPS},
        "tests": {(one.check, one.result): (one.visits, one.poor_visits) for one in found.tests},
    }


def cleaned(groups):
    return {name: +counts for name, counts in groups.items() if counts.total()}


def recomputed(asked):
    """The same by a walk over the calls."""
    since, until = asked.period.moments(asked.zone)
    records = [
        record
        for record in CallRecord.objects.filter(organization=asked.organization).select_related("visit")
        if since <= record.started_at < until and is_wanted(record, asked)
    ]
    streams = [stream for record in records for stream in record.streams.all()]
    by_day = {day_of(record, asked): Counter() for record in records}
    for record in records:
        by_day[day_of(record, asked)].update(stream.verdict for stream in record.streams.all())
    visits = {record.visit_id for record in records}
    return {
        "calls": len(records),
        "visits": len(visits),
        "poor_visits": len({record.visit_id for record in records if record.streams.filter(verdict="poor").exists()}),
        "streams": Counter(stream.verdict for stream in streams),
        "by_day": by_day,
        "due_to": Counter(reason for stream in streams if stream.verdict == "poor" for reason in stream.due_to),
        **{group: grouped(streams, group) for group in call_figures.GROUPS},
        "tests": foretold(visits),
    }


def is_wanted(record, asked):
    providers = {person.ehr_user_index for person in Participant.objects.filter(meeting__visit=record.visit)}
    return (
        asked.department in {"", record.visit.department}
        and asked.endpoint_id in {None, record.visit.endpoint_id}
        and (not asked.provider or asked.provider_index in providers)
        and (not asked.status or record.streams.filter(verdict=asked.status).exists())
    )


def day_of(record, asked) -> date:
    return record.started_at.astimezone(asked.zone).date()


def grouped(streams, group):
    found = {}
    for stream in streams:
        name = stream.record.visit.department if group == "department" else getattr(stream, group)
        found.setdefault(name, Counter())[stream.verdict] += 1
    return found


def foretold(visits):
    found = {}
    for visit_id in visits:
        test = max(DeviceTest.objects.filter(visit=visit_id), key=lambda test: test.created_at, default=None)
        poor = CallStream.objects.filter(record__visit=visit_id, verdict="poor", is_staff=False).exists()
        for check in DeviceTest.CHECKS if test else ():
            seen, trouble = found.get((check, getattr(test, check)), (0, 0))
            found[check, getattr(test, check)] = (seen + 1, trouble + poor)
    return found
