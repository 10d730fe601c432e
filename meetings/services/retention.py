"""Erase who took part as Epic and Entra know them, once the visit is long over; roles and times stay."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from meetings.models import Participant


def purge_identities(*, now: datetime, kept: timedelta) -> int:
    """Erase the user ids of participants of visits that ended longer than ``kept`` ago; return of how many."""
    return _known_before(now - kept).update(ehr_user_id=b"", entra_object_id=None)


def count_overdue_identities(now: datetime) -> int:
    """Return how many participants keep their ids a day longer than they may."""
    return _known_before(now - timedelta(days=settings.VISIT_ID_DAYS + 1)).count()


def _known_before(moment: datetime) -> QuerySet[Participant]:
    visit = "meeting__visit__"
    over = Q(**{f"{visit}ends_at__lte": moment}) | Q(**{f"{visit}ends_at": None, f"{visit}created_at__lte": moment})
    return Participant.objects.filter(over).exclude(ehr_user_id=b"", entra_object_id=None)
