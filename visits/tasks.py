"""Recurring work on visits."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from visits.services import retention


@shared_task(name="visits.purge")
def purge() -> None:
    """Erase contacts and close links whose time has come."""
    now = timezone.now()
    retention.purge_contacts(now=now)
    retention.expire_links(now=now)


@shared_task(name="visits.purge_ids")
def purge_ids() -> None:
    """Erase Epic's ids of visits that are long over."""
    retention.purge_ids(now=timezone.now(), kept=timedelta(days=settings.VISIT_ID_DAYS))
