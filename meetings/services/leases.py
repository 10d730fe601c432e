"""Keep due meetings from other workers for a while. A claim is a later due time: who dies frees it by itself.

A change that comes while a claim is held puts the row back; :func:`settle` only ends its own claim.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from meetings.models import Meeting

BATCH = 50
LEASE = timedelta(seconds=90)


def claim_due(work: str, *, now: datetime, meeting_id: uuid.UUID | None = None) -> list[Meeting]:
    """Return meetings that are due for ``work``, kept from others for 90 s; all, or one.

    :param work: ``sync`` or ``reconcile``: the prefix of the columns ``…_due_at`` and ``…_attempts``.
    """
    due = Meeting.objects.filter(**{f"{work}_due_at__lte": now})
    if meeting_id is not None:
        due = due.filter(pk=meeting_id)
    with transaction.atomic():
        rows = due.order_by(f"{work}_due_at").select_for_update(skip_locked=True)
        claimed = Meeting.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:BATCH]))
        claimed.update(**{f"{work}_due_at": now + LEASE, f"{work}_attempts": F(f"{work}_attempts") + 1})
    return list(claimed.select_related("organization", "visit__organization", "visit__endpoint__approved_version"))


def settle(meeting: Meeting, work: str, **values: object) -> None:
    """End our own claim with ``values``; one that was lost meanwhile is left."""
    name = f"{work}_due_at"
    Meeting.objects.filter(pk=meeting.pk, **{name: getattr(meeting, name)}).update(**values)
