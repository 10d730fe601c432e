"""Find meetings, for every launch and join."""

import uuid

from core.queries import Lookup
from meetings.models import Meeting
from visits.models import Visit

_OF_VISIT = Lookup(lambda: Meeting.objects.select_related("subscription"), "visit")
_LOCKED = Lookup(lambda: Meeting.objects.select_for_update(of=("self",)).select_related("subscription"), "id")


def meeting_of(visit: Visit) -> Meeting | None:
    """Return the meeting of ``visit`` with its subscription, or None while there is none."""
    return _OF_VISIT.find(visit.pk)


def locked(meeting_id: uuid.UUID) -> Meeting:
    """Return a meeting with its subscription, read anew and locked until the transaction ends."""
    return _LOCKED.get(meeting_id)
