"""Write-backs after a restore: Epic may have had later news than the dump knows."""

from datetime import datetime

from core.restoring import RESTORED
from writeback.models import WritebackEvent

State = WritebackEvent.State


def settle(now: datetime) -> int:
    """End every row that was not settled, as of unknown outcome; a person decides whether to send it again."""
    unsettled = WritebackEvent.objects.filter(state__in=[State.PENDING, State.SENDING, State.NOT_SENDABLE])
    return unsettled.update(state=State.UNKNOWN, error_code=RESTORED, finished_at=now, lease_until=None)
