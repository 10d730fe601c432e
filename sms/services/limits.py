"""Caps: so many texts about one visit, so many of one organization, in 24 hours; beyond them somebody is told."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Sum

from core import audit
from sms.models import SmsMessage, UsageHour
from visits.models import Visit

WINDOW = timedelta(hours=24)
_KEPT = timedelta(days=3)

logger = logging.getLogger(__name__)


def sent_to(contact_ids: Collection[UUID], *, now: datetime) -> dict[UUID, int]:
    """Return how many texts each contact was sent in the last 24 hours; those with none are missing."""
    recent = SmsMessage.objects.filter(contact_id__in=contact_ids, first_sent_at__gt=now - WINDOW)
    counted = recent.values_list("contact_id").annotate(count=Count("pk")).order_by()
    return {contact_id: count for contact_id, count in counted if contact_id}


def reserve(organization_id: UUID, *, wanted: int, cap: int, now: datetime) -> int:
    """Return how many of ``wanted`` texts the organization may still send, and count them as sent."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    with transaction.atomic():
        UsageHour.objects.get_or_create(organization_id=organization_id, hour=hour)
        current = UsageHour.objects.select_for_update().get(organization_id=organization_id, hour=hour)
        recent = UsageHour.objects.filter(organization_id=organization_id, hour__gt=now - WINDOW)
        used = int(recent.aggregate(total=Sum("texts"))["total"] or 0)
        granted = max(0, min(wanted, cap - used))
        current.texts = current.texts + granted
        if granted < wanted and not current.is_capped:
            current.is_capped = True
            _alarm("sms.organization_cap", organization_id=organization_id, cap=cap)
        current.save()
    return granted


def give_back(organization_id: UUID, *, count: int, now: datetime) -> None:
    """Uncount texts that were reserved and not sent after all."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    used = UsageHour.objects.filter(organization_id=organization_id, hour=hour, texts__gte=count)
    used.update(texts=F("texts") - count)


def forget_old(*, now: datetime) -> None:
    """Delete counts that no window reaches any more."""
    UsageHour.objects.filter(hour__lt=now - _KEPT).delete()


def alarm_visit(visit: Visit, *, cap: int) -> None:
    """Tell that one visit gets more texts, or changes more often, than can be right."""
    _alarm("sms.visit_cap", organization_id=visit.organization_id, cap=cap, subject=visit)


def _alarm(code: str, *, organization_id: UUID, cap: int, subject: object = None) -> None:
    logger.error("a cap on texts was reached", extra={"code": code, "organization": str(organization_id)})
    audit.record(code + "_reached", organization_id=organization_id, subject=subject, cap=cap)
