"""Erase what is left of numbers outside their home, :class:`visits.models.PatientContact`."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sms.models import InboundAction, OutcomeHour, SmsMessage
from sms.services import limits

_COUNTS_KEPT = timedelta(days=400)


def forget_endings(contact_ids: Collection[UUID]) -> int:
    """Erase the last digits that texts to these contacts still show; return how many texts showed some."""
    texts = SmsMessage.objects.filter(contact_id__in=contact_ids).exclude(number_ending="")
    return texts.update(number_ending="")


def purge(*, now: datetime) -> int:
    """Erase phones of answers that were never given, and counts that nobody adds up any more."""
    limits.forget_old(now=now)
    OutcomeHour.objects.filter(hour__lt=now - _COUNTS_KEPT).delete()
    overdue = InboundAction.objects.filter(purge_at__lte=now, phone__isnull=False)
    return overdue.update(phone=None, state=InboundAction.FAILED, finished_at=now, error_code="sms.too_late")


def count_overdue_actions(now: datetime) -> int:
    """Return how many phones that wrote to us are kept too long."""
    return InboundAction.objects.filter(purge_at__lte=now - timedelta(minutes=10), phone__isnull=False).count()


def count_overdue_endings(now: datetime) -> int:
    """Return how many texts show digits of a number that is erased, or should be."""
    shown = SmsMessage.objects.exclude(number_ending="")
    gone = shown.filter(contact__phone__isnull=True).count()
    return gone + shown.filter(contact__purge_at__lte=now - timedelta(minutes=10), contact__phone__isnull=False).count()
