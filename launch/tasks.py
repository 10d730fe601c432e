"""Recurring work on ways into a visit."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from launch.services import device_tests, retention


@shared_task(name="launch.forget")
def forget() -> None:
    """Erase by whom old device tests and launches were made, and what only a launch under way needs."""
    now = timezone.now()
    device_tests.forget(now=now)
    retention.purge_identities(now=now, kept=timedelta(days=settings.VISIT_ID_DAYS))
    retention.purge_states(now=now)
