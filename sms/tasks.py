"""Texts in the background; the queue only wakes, the rows say what is due."""

import time

from celery import shared_task
from django.utils import timezone

from core import jobs
from sms.services import answering, numbers, orders, retention, sending, settling


@shared_task(name="sms.deliver_due")
def deliver_due() -> None:
    """Send what is due; when much is, in several turns, so that other workers' signals are heard between."""
    started = time.monotonic()
    jobs.go_to_sleep(deliver_due)
    sending.deliver_due(now=timezone.now())
    if time.monotonic() - started > sending.RUN_SECONDS:
        jobs.enqueue(deliver_due)


@shared_task(name="sms.recover_abandoned")
def recover_abandoned() -> None:
    """Take up texts whose worker died, and ask suppliers about those that are unknown."""
    now = timezone.now()
    settling.recover_abandoned(now=now)
    answering.recover_abandoned(now=now)
    started = time.monotonic()
    while settling.settle_unknown(now=timezone.now()) and time.monotonic() - started < sending.RUN_SECONDS:
        pass


@shared_task(name="sms.answer_due")
def answer_due() -> None:
    """Answer phones that wrote to us."""
    answering.answer_due(now=timezone.now())


@shared_task(name="sms.purge")
def purge() -> None:
    """Erase what is left of numbers whose time has come, outside the contacts themselves."""
    retention.purge(now=timezone.now())


@shared_task(name="sms.advance_orders")
def advance_orders() -> None:
    """Take the next step of numbers that are being bought or given back."""
    orders.advance_due(now=timezone.now())
    numbers.release_requested(now=timezone.now())


@shared_task(name="sms.check_verifications")
def check_verifications() -> None:
    """Ask how verification by carriers stands."""
    numbers.check_verifications(now=timezone.now())
