from datetime import timedelta

import pytest
from django.utils import timezone

from launch.models import LaunchAttempt
from reports.services import timeline
from sms.models import SmsMessage
from tests.factories import make_visit
from tests.reports.conftest import START

pytestmark = pytest.mark.django_db
YESTERDAY = START - timedelta(days=1)


def titles(visit):
    return [f"{moment.title} {moment.detail}".strip() for moment in timeline.build(visit)]


def test_everything_stands_in_the_order_of_time_and_plans_stand_last(visit, happen):
    SmsMessage.objects.filter(kind="scheduled").update(
        state="delivered",
        accepted_at=START - timedelta(days=1),
        delivered_at=START - timedelta(days=1),
        number_ending="77",
    )
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 30)
    happen("patient", "connected", 72)
    seen = titles(visit)
    assert seen[0] == "Confirmation text"
    assert seen[1].startswith("Teams meeting")
    assert seen[2:5] == ["Patient 1 entered the lobby", "Provider 1 connected", "Patient 1 connected"]


def test_being_admitted_says_how_long_somebody_waited(visit, happen):
    happen("patient", "lobby_entered", 0)
    happen("patient", "connected", 72)
    outcomes = {moment.title: moment.outcome for moment in timeline.build(visit)}
    assert outcomes["Patient 1 connected"] == "Waited 1:12"


@pytest.mark.parametrize(
    ("state", "outcome", "tone"),
    [
        ("pending", "Waiting", "next"),
        ("accepted", "Sent", "info"),
        ("delivered", "Delivered in 3 s", "ok"),
        ("undelivered", "Not delivered", "bad"),
        ("failed", "Refused", "bad"),
        ("unknown", "Unknown", "warn"),
        ("withdrawn", "Withdrawn", "neutral"),
    ],
)
def test_a_text_says_what_became_of_it(visit, state, outcome, tone):
    now = timezone.now()
    SmsMessage.objects.exclude(kind="scheduled").delete()
    SmsMessage.objects.update(state=state, accepted_at=now, delivered_at=now + timedelta(seconds=3))
    (moment,) = timeline.build(visit)
    assert (moment.outcome, moment.tone) == (outcome, tone)


def test_a_reminder_says_how_long_before(visit):
    SmsMessage.objects.all().delete()
    for minutes in (1440, 2880, 60, 120, 10):
        SmsMessage.objects.create(
            organization=visit.organization, visit=visit, kind="reminder", visit_version=1, contact_revision=0,
            offset_minutes=minutes, due_at=START - timedelta(minutes=minutes), expires_at=START,
        )  # fmt: skip
    assert [moment.detail for moment in timeline.build(visit)] == [
        "2 days before", "1 day before", "2 hours before", "1 hour before", "10 minutes before",
    ]  # fmt: skip


def test_a_refused_launch_shows_the_reference_that_the_person_was_given(visit):
    attempt = LaunchAttempt.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, audience="provider", state="refused"
    )
    (moment,) = [moment for moment in timeline.build(visit) if moment.title == "Provider launched"]
    assert attempt.reference in moment.detail
    assert moment.tone == "bad"


def test_nothing_of_another_visit_is_shown(visit, happen):
    other = make_visit(visit.endpoint, session_id="999", starts_at=START)
    happen("patient", "lobby_entered", 0)
    assert not any("lobby" in title for title in titles(other))
