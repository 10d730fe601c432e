"""Facts and sums follow what happens, and equal a recomputation that knows nothing of them."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from launch.models import LaunchAttempt
from meetings.models import Meeting, Participant, PresenceEvent
from reports.definitions import GRACE, Status
from reports.models import Calendar, Change, Freshness, Level, TextDay, VisitDay, VisitFact
from reports.services import refreshing
from reports.sketches import bucket_of, percentile, sketch, value_of
from sms.models import SmsMessage
from tests.factories import make_endpoint, make_organization, make_visit
from tests.meetings.rows import make_meeting
from tests.reports.conftest import NOW, START, at
from visits.models import Visit

OVER = START + timedelta(minutes=30) + GRACE


def refreshed(visit, *, now: datetime = OVER) -> VisitFact:
    assert refreshing.refresh(now=now)
    assert not Change.objects.exists()
    return VisitFact.objects.get(visit=visit)


def total_rows(calendar=Calendar.LOCAL):
    return VisitDay.objects.filter(calendar=calendar, level=Level.TOTAL)


@pytest.mark.django_db
def test_a_visit_becomes_a_fact_and_a_day(visit, happen):
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    happen("patient", "connected", 72)
    happen("patient", "disconnected", 900)
    happen("provider", "disconnected", 960)
    fact = refreshed(visit)
    assert (fact.status, fact.microsoft_status) == (Status.COMPLETED, "completed")
    assert (fact.starts_at, fact.duration, fact.lobby_wait, fact.waits) == (at(72), 888, 72, [72])
    assert (fact.peak, fact.total, fact.gave_up) == (2, 2, 0)
    row = total_rows().get()
    assert (row.day, row.visits, row.duration_sum, row.lobby_wait_sum) == (START.date(), 1, 888, 72)
    assert row.duration_buckets == [bucket_of(888)]
    assert Freshness.objects.get().at == OVER


@pytest.mark.django_db
def test_what_comes_late_moves_the_visit_to_another_day(visit, meeting, happen):
    happen("provider", "connected", 0)
    happen("provider", "disconnected", 60)
    assert refreshed(visit).status == Status.PATIENT_NO_SHOW
    late = timedelta(days=1).total_seconds()
    happen("patient", "connected", int(late))
    happen("provider", "connected", int(late) + 5)
    happen("patient", "disconnected", int(late) + 300)
    happen("provider", "disconnected", int(late) + 305)
    fact = refreshed(visit)
    assert (fact.status, fact.duration) == (Status.COMPLETED, 300)
    assert [(row.day, row.status) for row in total_rows()] == [(START.date() + timedelta(days=1), Status.COMPLETED)]


@pytest.mark.django_db
def test_a_time_that_is_corrected_in_place_is_seen(visit, happen):
    happen("provider", "connected", 0)
    happen("patient", "connected", 10)
    happen("patient", "disconnected", 100)
    gone = happen("provider", "disconnected", 110)
    assert refreshed(visit).duration == 100
    PresenceEvent.objects.filter(pk=gone.pk).update(at=at(210))
    assert refreshed(visit).duration == 200
    assert total_rows().get().duration_sum == 200


@pytest.mark.django_db
def test_time_alone_settles_a_visit_that_nobody_came_to(visit):
    assert refreshed(visit, now=NOW).status == Status.SCHEDULED
    assert not total_rows().exists()
    assert refreshed(visit, now=OVER - timedelta(seconds=1)).status == Status.SCHEDULED
    assert refreshed(visit, now=OVER).status == Status.NOBODY_JOINED
    assert total_rows().get().status == Status.NOBODY_JOINED


@pytest.mark.django_db
def test_a_cancellation_is_seen(visit):
    Visit.objects.filter(pk=visit.pk).update(state=Visit.State.CANCELLED)
    assert refreshed(visit).status == Status.CANCELLED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "status"),
    [("graph.unavailable", Status.TECHNICAL_FAILURE), ("join.too_late", Status.NOBODY_JOINED)],
)
def test_only_what_a_system_refused_is_a_technical_failure(visit, code, status):
    attempt = LaunchAttempt.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, audience="provider"
    )
    assert refreshed(visit).status == Status.NOBODY_JOINED
    attempt.note_error(code)
    assert refreshed(visit).status == status


@pytest.mark.django_db
def test_a_meeting_that_could_not_be_made_is_a_technical_failure(visit, meeting):
    Meeting.objects.filter(pk=meeting.pk).update(state="creating", error_code="graph.access_policy_missing")
    assert refreshed(visit).status == Status.TECHNICAL_FAILURE


@pytest.mark.django_db
def test_texts_are_counted_by_visit_and_day(visit):
    texts = SmsMessage.objects.filter(visit=visit)
    first = texts.order_by("due_at").first()
    texts.filter(pk=first.pk).update(
        state="delivered", report_status="sent", supplier="acs", segments=2, attempts=1, accepted_at=NOW
    )
    fact = refreshed(visit)
    assert (fact.texts_sent, fact.texts_delivered) == (1, 1)
    row = TextDay.objects.get(calendar=Calendar.UTC, level=Level.TOTAL)
    assert (row.day, row.texts, row.segments, row.state, row.status) == (first.due_at.date(), 1, 2, "delivered", "sent")
    texts.filter(pk=first.pk).update(state="undelivered", report_status="unreachable")
    assert refreshed(visit).texts_delivered == 0
    assert TextDay.objects.get(calendar=Calendar.UTC, level=Level.TOTAL).status == "unreachable"


@pytest.mark.django_db
def test_a_group_is_one_visit_with_the_texts_of_all(visit):
    group = make_visit(visit.endpoint, session_id="G1", starts_at=START)
    Visit.objects.filter(pk=visit.pk).update(group_visit=group)
    SmsMessage.objects.filter(visit=visit).update(state="accepted", accepted_at=NOW)
    refreshing.refresh(now=OVER)
    fact = VisitFact.objects.get()
    assert (fact.visit_id, fact.texts_sent) == (group.pk, SmsMessage.objects.filter(visit=visit).count())


@pytest.mark.django_db
def test_another_time_zone_sums_local_days_anew(visit):
    Visit.objects.filter(pk=visit.pk).update(starts_at=datetime(2026, 11, 24, 5, 30, tzinfo=UTC), ends_at=NOW)
    refreshed(visit)
    assert total_rows().get().day.isoformat() == "2026-11-23"
    visit.organization.time_zone = "America/New_York"
    visit.organization.save()
    refreshed(visit)
    assert total_rows().get().day.isoformat() == "2026-11-24"
    assert total_rows(Calendar.UTC).get().day.isoformat() == "2026-11-24"


@pytest.mark.django_db(transaction=True)
def test_only_one_worker_refreshes_at_a_time(visit):
    with connection.copy().cursor() as other:
        number = int.from_bytes(refreshing._LOCK.bytes[:8], signed=True)
        other.execute("SELECT pg_advisory_lock(%s)", [number])
        assert not refreshing.refresh(now=OVER)
        other.execute("SELECT pg_advisory_unlock(%s)", [number])
        other.connection.close()
    assert refreshing.refresh(now=OVER)


@pytest.mark.django_db
def test_a_hundred_visits_cost_as_many_queries_as_one(visit, django_assert_num_queries):
    for number in range(20):
        make_meeting(make_visit(visit.endpoint, session_id=f"9{number}", starts_at=START))
    refreshing.refresh(now=NOW)
    ids = list(Visit.objects.values_list("pk", flat=True))
    with django_assert_num_queries(10):
        refreshing.facts.update(ids[:1], now=OVER)
    with django_assert_num_queries(10):
        refreshing.facts.update(ids, now=OVER)


# --- The property: whatever happens in whatever order, days are what a fresh look at the raw rows says. ------------
MOMENT = st.integers(min_value=0, max_value=4 * 86_400)
EVENT = st.tuples(
    st.integers(0, 3), st.sampled_from(["provider", "patient", "proxy"]),
    st.sampled_from(["lobby_entered", "connected", "left_lobby", "disconnected"]), MOMENT,
)  # fmt: skip


class RollupProperty(TestCase):
    """Refreshing after each batch, late events included, gives what one look at everything gives."""

    @settings(max_examples=25)
    @given(batches=st.lists(st.lists(EVENT, max_size=8), min_size=1, max_size=4))
    def test_sums_of_days_equal_the_raw_query(self, batches):
        endpoint = make_endpoint(make_organization(), with_sms=False)
        departments = ["LMFM", "LMFM", "CARD", ""]
        visits = [
            make_visit(endpoint, session_id=f"{number}", starts_at=START, department=department)
            for number, department in enumerate(departments)
        ]
        meetings = [make_meeting(visit) for visit in visits]
        for batch in batches:
            for number, role, kind, moment in batch:
                happened(meetings[number], role, kind, moment)
            refreshing.refresh(now=START + timedelta(days=6))
        for calendar, zone in ((Calendar.UTC, ZoneInfo("UTC")), (Calendar.LOCAL, ZoneInfo("America/Chicago"))):
            assert stored(calendar) == recomputed(zone)


def happened(meeting, role, kind, moment):
    person, _ = Participant.objects.get_or_create(
        meeting=meeting, role=role, ordinal=1,
        defaults={"organization": meeting.organization, "state_at": NOW, "created_at": NOW},
    )  # fmt: skip
    PresenceEvent.objects.create(
        participant=person, kind=kind, sequence=person.presence_events.count() + 1, at=at(moment), created_at=NOW
    )


def stored(calendar):
    """What the table of days says, by day, department and status, at every level."""
    rows = VisitDay.objects.filter(calendar=calendar)
    return {
        (row.level, row.day, row.department, row.visit_type, row.status): (
            row.visits, row.duration_sum, row.lobby_waits, row.lobby_wait_sum, row.own_waits, row.own_wait_sum,
            row.gave_up, row.peak_sum, row.total_sum,
            Counter(dict(zip(row.duration_buckets, row.duration_counts, strict=True))),
            Counter(dict(zip(row.lobby_wait_buckets, row.lobby_wait_counts, strict=True))),
            Counter(dict(zip(row.own_wait_buckets, row.own_wait_counts, strict=True))),
        )
        for row in rows
    }  # fmt: skip


def recomputed(zone):
    """The same from presence alone, in another way: a walk over each visit's events."""
    sums = defaultdict(list)
    for visit in Visit.objects.all():
        seen = walked(visit)
        day = seen["start"].astimezone(zone).date()
        for level in Level.values:
            department = visit.department if level & 1 else ""
            kind = visit.visit_type if level & 2 else ""
            sums[level, day, department, kind, seen["status"]].append(seen)
    return {key: added(listed) for key, listed in sums.items()}


def added(listed):
    durations = [seen["duration"] for seen in listed if seen["status"] == Status.COMPLETED]
    waits = [seen["wait"] for seen in listed if seen["wait"] is not None]
    own = [wait for seen in listed for wait in seen["own"]]
    return (
        len(listed), sum(seen["duration"] for seen in listed), len(waits), sum(waits), len(own), sum(own),
        sum(seen["gave_up"] for seen in listed), sum(seen["peak"] for seen in listed),
        sum(seen["total"] for seen in listed), sketch(durations), sketch(waits), sketch(own),
    )  # fmt: skip


def walked(visit):
    events = [
        (event.at, event.kind, event.participant.role == "provider", event.participant_id)
        for event in PresenceEvent.objects.filter(participant__meeting__visit=visit).order_by("at", "kind")
    ]
    lobby, call, came, first, own, peaks, starts, lefts, admitted = {}, {}, {}, {}, {}, [0], [], [], []
    for moment, kind, provider, person in events:
        if kind == "lobby_entered":
            lobby[person] = moment
            first.setdefault(person, moment)
        elif kind == "connected":
            if lobby.pop(person, None):
                admitted.append(moment)
                own.setdefault(person, moment - first[person])
            call[person] = came[person] = provider
            peaks.append(len(call))
            if True in call.values() and False in call.values():
                starts.append(moment)
        else:
            lobby.pop(person, None)
            if person in call:
                del call[person]
                lefts.append(moment)
    present = bool(lobby or call)
    activity = [moment for moment, kind, *_ in events if kind in {"lobby_entered", "connected"}]
    start = starts[0] if starts else min(activity, default=None)
    met_and_over = bool(starts) and not present
    return {
        "start": start or visit.starts_at,
        "status": outcome(visit, present, starts, came, first),
        "duration": int((lefts[-1] - starts[0]).total_seconds()) if met_and_over else 0,
        "wait": int((admitted[0] - min(first.values())).total_seconds()) if admitted else None,
        "own": [int(wait.total_seconds()) for wait in own.values()],
        "gave_up": len(set(first) - set(came) - set(lobby)),
        "peak": max(peaks),
        "total": len(came),
    }


def outcome(visit, present, starts, came, first):
    if present:
        return "in_progress"
    if starts:
        return "completed"
    providers = set(Participant.objects.filter(meeting__visit=visit, role="provider").values_list("pk", flat=True))
    patients = (set(came) | set(first)) - providers
    if True in came.values():
        return "missed" if patients else "patient_no_show"
    if False in came.values():
        return "provider_no_show"
    return "waited_alone" if patients else "nobody_joined"


# --- Sketches ------------------------------------------------------------------------------------------------------
@given(st.integers(0, 200_000))
def test_a_bucket_is_never_more_than_one_in_a_hundred_off(seconds):
    assert abs(value_of(bucket_of(seconds)) - seconds) <= 0.01 * seconds


@given(st.lists(st.integers(0, 30_000), min_size=1))
def test_a_median_from_a_sketch_is_within_one_in_a_hundred(values):
    exact = sorted(values)[(len(values) + 1) // 2 - 1]
    assert abs(percentile(sketch(values), 0.5) - exact) <= 0.01 * exact
    assert percentile(sketch(values), 1.0) == pytest.approx(max(values), rel=0.01)
    if len(values) % 2:
        assert exact == median(values)


def test_a_sketch_of_nothing_has_no_percentile():
    assert percentile(Counter(), 0.5) is None
