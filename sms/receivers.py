"""News about visits becomes texts, in the same transaction."""

from datetime import datetime
from uuid import UUID

from django.dispatch import receiver

from core.jobs import wake_after_commit
from sms import tasks
from sms.models import SmsMessage
from sms.services import planning, retention
from visits import signals
from visits.models import Visit


@receiver(signals.visit_scheduled)
def confirm_scheduled(visit: Visit, now: datetime, **_: object) -> None:
    """Plan a confirmation and reminders."""
    _wake(planning.plan_confirmation(visit, SmsMessage.Kind.SCHEDULED, now=now), now=now)


@receiver(signals.visit_moved)
def confirm_moved(visit: Visit, now: datetime, **_: object) -> None:
    """Take back what no longer holds; plan the new time and its reminders."""
    planning.withdraw(visit, now=now)
    _wake(planning.plan_confirmation(visit, SmsMessage.Kind.MOVED, now=now), now=now)


@receiver(signals.visit_contacts_changed)
def confirm_to_new_number(visit: Visit, now: datetime, **_: object) -> None:
    """Plan what a new number or a new patient has not been told."""
    _wake(planning.plan_confirmation(visit, SmsMessage.Kind.SCHEDULED, now=now), now=now)


@receiver(signals.visit_ended)
def confirm_ended(visit: Visit, now: datetime, **_: object) -> None:
    """Take back everything planned; tell who was told before, when the visit was cancelled."""
    planning.withdraw(visit, now=now)
    if visit.state == Visit.State.CANCELLED:
        _wake(planning.plan_cancellation(visit, now=now), now=now)


@receiver(signals.contacts_purged)
def forget_endings(contact_ids: list[UUID], **_: object) -> None:
    """Erase with a number what texts still show of it."""
    retention.forget_endings(contact_ids)


def _wake(planned: list[SmsMessage], *, now: datetime) -> None:
    if any(text.due_at <= now for text in planned):
        wake_after_commit(tasks.deliver_due)  # hundreds of visits a second may come in
