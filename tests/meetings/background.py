"""What a worker does for meetings, done at once."""

from datetime import datetime

from django.utils import timezone

from meetings.services import leases, synchronizing


def bring_in_line(now: datetime | None = None) -> None:
    """Bring every meeting that is due in line with Teams."""
    now = now or timezone.now()
    for meeting in leases.claim_due(synchronizing.WORK, now=now):
        synchronizing.bring_in_line(meeting, now=now)
