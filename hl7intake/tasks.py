"""Recurring work of the intake."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from core.jobs import enqueue
from hl7intake.services.certificates import warn_of_expiry
from hl7intake.services.emailing import email_what_was_found
from hl7intake.services.processing import BATCH, apply_due, next_due_at
from hl7intake.services.refusals import forget_old
from hl7intake.services.retention import wipe_raw
from hl7intake.services.watching import look_for_silence

# One run ends before the next tick, so that a long queue does not hold a worker for itself.
RUN = timedelta(seconds=20)
_SOON = timedelta(seconds=10)


@shared_task(name="hl7intake.apply_received")
def apply_received() -> None:
    """Let every message take effect whose time has come; after one that failed, look again when it is due."""
    until = timezone.now() + RUN
    applied = 0
    while (number := apply_due(now=timezone.now())) == BATCH or _is_one_due():
        applied += number
        if timezone.now() >= until:
            enqueue(apply_received)
            return
    if applied or number:
        _come_back()


def _is_one_due() -> bool:
    """Whether a message waits that became due, or came to the head of its appointment, meanwhile."""
    due_at = next_due_at()
    return due_at is not None and due_at <= timezone.now()


def _come_back() -> None:
    due_at, now = next_due_at(), timezone.now()
    if due_at is not None and due_at - now < _SOON:
        enqueue(apply_received, countdown=max(0.0, (due_at - now).total_seconds()))


@shared_task(name="hl7intake.wipe")
def wipe() -> None:
    """Erase texts that were kept long enough."""
    wipe_raw(now=timezone.now())


@shared_task(name="hl7intake.watch_senders")
def watch_senders() -> None:
    """Warn of certificates that end, tell of senders that went silent, by e-mail too, forget old refusals."""
    now = timezone.now()
    warn_of_expiry(now=now)
    look_for_silence(now=now)
    forget_old(now=now)
    email_what_was_found(now=now)
