"""What Epic was told, held against what happened, of the meetings that ended in a period.

Comparing a month of a large hospital means reading millions of changes of presence. So each meeting is compared when
there is news of it, with its visit's fact, and here only those are looked at in which something may differ.
"""

from collections.abc import Sequence
from datetime import datetime

from config_portal.models import Organization
from meetings.models import Meeting
from writeback.services import ledger
from writeback.services.ledger import Difference


def differences(
    organization: Organization, *, since: datetime, until: datetime, now: datetime
) -> tuple[Sequence[Difference], int]:
    """Return every difference, oldest first, and how many meetings were compared."""
    ended = Meeting.objects.for_organization(organization).filter(ended_at__gte=since, ended_at__lt=until)
    doubtful = ledger.with_people(ended.filter(visit__fact__may_differ=True))
    return ledger.differences(doubtful, now=now), ended.count()
