"""Recurring work on ways into a visit."""

from celery import shared_task
from django.utils import timezone

from launch.services import device_tests


@shared_task(name="launch.forget")
def forget() -> None:
    """Erase by whom old device tests were made."""
    device_tests.forget(now=timezone.now())
