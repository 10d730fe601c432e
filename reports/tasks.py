"""Background work of the reports."""

from celery import shared_task
from django.utils import timezone

from reports.services import refreshing


@shared_task(name="reports.refresh")
def refresh() -> None:
    """Take into the figures what has happened since the last time."""
    refreshing.refresh(now=timezone.now())
