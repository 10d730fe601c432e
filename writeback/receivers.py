"""News from meetings that Epic must hear about, stored in the same transaction."""

from datetime import datetime

from django.dispatch import receiver

from core.jobs import wake_after_commit
from meetings.models import Participant, PresenceEvent
from meetings.signals import presence_changed
from writeback import tasks
from writeback.models import WritebackEvent
from writeback.services import outbox


@receiver(presence_changed)
def tell_epic(participant: Participant, event: PresenceEvent, now: datetime, **_: object) -> None:
    """Store the write-back and wake a worker once the presence is committed."""
    row = outbox.store_presence(participant, event, now=now)
    if row is not None and row.state == WritebackEvent.State.PENDING:
        wake_after_commit(tasks.deliver, str(row.endpoint_id))
