from datetime import timedelta

import pytest
from django.utils import timezone

from launch.models import LaunchAttempt, OAuthState
from launch.services import retention
from tests import factories

pytestmark = pytest.mark.django_db
KEPT = timedelta(days=30)
SECOND = timedelta(seconds=1)


def make_attempt(endpoint, visit=None):
    return LaunchAttempt.objects.create(
        organization=endpoint.organization,
        endpoint=endpoint,
        visit=visit,
        audience="provider",
        role="provider",
        ehr_user_id="AOKAFOR",
    )


def test_who_launched_is_erased_a_month_after_the_visit_and_the_launch_stays():
    visit = factories.make_visit()
    attempt = make_attempt(visit.endpoint, visit)
    late = visit.ends_at + KEPT
    assert retention.purge_identities(now=late - SECOND, kept=KEPT) == 0
    assert retention.count_overdue_identities(late + timedelta(days=2)) == 1
    assert retention.purge_identities(now=late, kept=KEPT) == 1
    attempt.refresh_from_db()
    assert (attempt.ehr_user_id, attempt.role) == ("", "provider")
    assert retention.purge_identities(now=late, kept=KEPT) == 0
    assert retention.count_overdue_identities(late + timedelta(days=2)) == 0


def test_a_launch_that_found_no_visit_is_forgotten_a_month_after_it_was_made():
    attempt = make_attempt(factories.make_endpoint())
    assert retention.purge_identities(now=attempt.created_at + KEPT - SECOND, kept=KEPT) == 0
    assert retention.purge_identities(now=attempt.created_at + KEPT, kept=KEPT) == 1


def test_what_a_launch_needed_for_ten_minutes_is_deleted_a_day_later():
    now = timezone.now()
    attempt = make_attempt(factories.make_endpoint())
    OAuthState.objects.create(attempt=attempt, state_digest="s", cookie_digest="c", expires_at=now)
    assert retention.purge_states(now=now + retention.STATES_KEPT) == 0
    assert retention.purge_states(now=now + retention.STATES_KEPT + SECOND) == 1
    assert not OAuthState.objects.exists()
