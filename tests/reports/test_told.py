"""What the tab *Told to Epic* looks at is enough: every difference there is, whatever came when."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from meetings.models import Meeting, Participant, PresenceEvent
from reports.models import Change, VisitFact
from reports.services import refreshing, told
from tests.factories import make_endpoint, make_organization, make_visit
from tests.meetings.rows import make_meeting
from tests.reports.conftest import NOW, START, at
from writeback.models import WritebackEvent
from writeback.services import ledger

LATER = START + timedelta(hours=8)
CAME, LEFT = ("connected", 1, 0), ("disconnected", 2, 600)


def person_of(meeting):
    return Participant.objects.get_or_create(
        meeting=meeting, role="patient", ordinal=1,
        defaults={"organization": meeting.organization, "state_at": NOW, "created_at": NOW},
    )[0]  # fmt: skip


def event(meeting, kind, sequence, seconds, **more):
    """Let something be known of the patient, or known otherwise."""
    PresenceEvent.objects.update_or_create(
        participant=person_of(meeting),
        sequence=sequence,
        defaults={"kind": kind, "at": at(seconds), "created_at": NOW, **more},
    )


def row(meeting, kind, sequence, state="accepted"):
    """Let Epic be told of it, or have been told otherwise."""
    visit = meeting.visit
    WritebackEvent.objects.update_or_create(
        participant=person_of(meeting),
        sequence=sequence,
        defaults={
            "organization": visit.organization, "endpoint": visit.endpoint, "visit": visit, "meeting": meeting,
            "kind": kind, "occurred_at": NOW, "due_at": NOW, "state": state,
        },
    )  # fmt: skip


def held(meeting):
    """The patient came and left, Epic accepted both, and the meeting ended."""
    for kind, sequence, seconds in (CAME, LEFT):
        event(meeting, kind, sequence, seconds)
        row(meeting, kind, sequence)
    Meeting.objects.filter(pk=meeting.pk).update(ended_at=at(700))


def shown(organization):
    return told.differences(organization, since=NOW - timedelta(days=2), until=LATER, now=LATER)


def refreshed():
    assert refreshing.refresh(now=LATER)
    assert not Change.objects.exists()


@pytest.mark.django_db
def test_meetings_of_which_epic_knows_everything_are_counted_and_not_looked_at(meeting):
    held(meeting)
    refreshed()
    assert not VisitFact.objects.get().may_differ
    assert shown(meeting.organization) == ([], 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "late",
    [
        lambda meeting: WritebackEvent.objects.filter(kind="connected").update(state="failed"),
        lambda meeting: WritebackEvent.objects.filter(kind="disconnected").delete(),
        lambda meeting: PresenceEvent.objects.filter(kind="connected").update(is_superseded=True),
        lambda meeting: event(meeting, "connected", 3, 650),
        lambda meeting: Meeting.objects.update(reconcile_error="graph.no_attendance_report"),
    ],
)
def test_late_news_has_a_meeting_looked_at_again(meeting, late):
    held(meeting)
    refreshed()
    late(meeting)
    refreshed()
    found, compared = shown(meeting.organization)
    assert (bool(found), compared) == (True, 1)


@pytest.mark.django_db
def test_what_epic_accepts_in_the_end_differs_no_more(meeting):
    held(meeting)
    WritebackEvent.objects.update(state="pending")
    refreshed()
    assert VisitFact.objects.get().may_differ
    WritebackEvent.objects.update(state="accepted")
    refreshed()
    assert not VisitFact.objects.get().may_differ


@pytest.mark.django_db
def test_a_meeting_that_goes_on_is_not_compared(meeting):
    event(meeting, *CAME)
    refreshed()
    assert (VisitFact.objects.get().may_differ, shown(meeting.organization)) == (False, ([], 0))


SEQUENCE = st.integers(1, 4)
KIND = st.sampled_from(["lobby_entered", "connected", "left_lobby", "disconnected"])
STEP = st.one_of(
    st.tuples(
        st.just(event), KIND, SEQUENCE, st.integers(0, 900),
        st.fixed_dictionaries(
            {"source": st.sampled_from(["graph", "graph", "attendance"]), "is_superseded": st.booleans()}
        ),
    ),
    st.tuples(
        st.just(row), st.sampled_from(["connected", "disconnected"]), SEQUENCE,
        st.sampled_from(["pending", "sending", "accepted", "accepted", "failed", "handled"]), st.just({}),
    ),
)  # fmt: skip


class LookedAtProperty(TestCase):
    """After each batch the tab says what comparing every meeting says."""

    @settings(max_examples=30, deadline=None)
    @given(batches=st.lists(st.lists(st.tuples(st.integers(0, 1), STEP), max_size=6), min_size=1, max_size=4))
    def test_the_tab_shows_what_comparing_everything_shows(self, batches):
        endpoint = make_endpoint(make_organization(), with_sms=False)
        visits = [make_visit(endpoint, session_id=f"{number}", starts_at=START) for number in range(2)]
        meetings = [make_meeting(visit) for visit in visits]
        for meeting in meetings:
            held(meeting)
        for batch in batches:
            for number, (happen, *step, more) in batch:
                happen(meetings[number], *step, **more)
            refreshed()
            everything = ledger.ended_meetings(endpoint.organization, since=NOW, until=LATER)
            found, compared = shown(endpoint.organization)
            assert compared == len(everything)
            wanted = ledger.differences(everything, now=LATER)
            assert Counter(map(told_apart, found)) == Counter(map(told_apart, wanted))


def told_apart(difference):
    return difference.meeting.pk, difference.gap, difference.kind, difference.at, difference.state
