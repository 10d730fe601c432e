"""Erase who came, as the EHR knows them, once the visit is long over, and what a launch needed for ten minutes."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from launch.models import LaunchAttempt, OAuthState

# An address that is opened a second time is still told apart from one that never was.
STATES_KEPT = timedelta(days=1)


def purge_identities(*, now: datetime, kept: timedelta) -> int:
    """Erase the user ids of launches into visits that ended longer than ``kept`` ago; return of how many."""
    return _known_before(now - kept).update(ehr_user_id=b"")


def count_overdue_identities(now: datetime) -> int:
    """Return how many launches keep a user id a day longer than they may."""
    return _known_before(now - timedelta(days=settings.VISIT_ID_DAYS + 1)).count()


def purge_states(*, now: datetime) -> int:
    """Delete states, verifiers and nonces that have long expired; return how many."""
    deleted, _ = OAuthState.objects.filter(expires_at__lt=now - STATES_KEPT).delete()
    return deleted


def _known_before(moment: datetime) -> QuerySet[LaunchAttempt]:
    without_end = Q(visit__ends_at=None, created_at__lte=moment)  # no visit, or one whose end nobody told
    return LaunchAttempt.objects.filter(Q(visit__ends_at__lte=moment) | without_end).exclude(ehr_user_id=b"")
