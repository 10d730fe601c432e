"""Give messages that did not take effect another chance, one or many, in their order."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from core import audit
from hl7intake.models import InboundMessage, InboundMessageQuerySet

State = InboundMessage.State


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How many messages were put back, and how many could not be.

    :param superseded: the sender has mended and sent them again under the same control id meanwhile.
    """

    count: int
    superseded: int = 0


def replay(messages: InboundMessageQuerySet, *, actor: str, now: datetime) -> Replayed:
    """Put ``messages`` back among those that wait; they take effect in the order of the sender's clock.

    Only those whose text is still there can be (:meth:`InboundMessageQuerySet.replayable`); others are left
    alone. The caller enqueues :func:`hl7intake.tasks.apply_received`. Every message is audited.
    """
    outcomes = [_replay(message, actor=actor, now=now) for message in messages.replayable().in_order()]
    return Replayed(count=outcomes.count(True), superseded=outcomes.count(False))


def _replay(message: InboundMessage, *, actor: str, now: datetime) -> bool | None:
    try:
        with transaction.atomic():
            rows = InboundMessage.objects.replayable().filter(pk=message.pk)
            updated = rows.update(
                state=State.RECEIVED, attempts=0, due_at=now, finished_at=None, error_code="", raw_until=None
            )
            if not updated:
                return None
            audit.record("message.replayed", organization_id=message.organization_id, actor=actor, subject=message)
    except IntegrityError:
        return False
    return True
