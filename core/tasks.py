"""The pulse of the background: beat sends, a worker receives, both leave a heartbeat."""

from celery import shared_task
from celery.signals import beat_init, before_task_publish
from django.conf import settings
from django.utils import timezone

from core import audit_heads, heartbeat, jobs, retention

PULSE = "core.pulse"


@shared_task(name=PULSE, expires=30)
def pulse() -> None:
    """Record that a worker takes tasks from the queue."""
    heartbeat.beat(heartbeat.WORKER)


@beat_init.connect
def watch_the_scheduler(**_: object) -> None:
    """In the beat process only: leave a heartbeat whenever the pulse is about to be published."""
    before_task_publish.connect(_heartbeat_of_beat, sender=PULSE, weak=False)
    jobs.enqueue(pulse)  # the first tick is an interval away; readiness need not wait for it


def _heartbeat_of_beat(**_: object) -> None:
    heartbeat.beat(heartbeat.BEAT)


@shared_task(name="core.export_audit_heads", expires=3600)
def export_audit_heads() -> None:
    """Keep the heads of the audit chains outside the database, once a day."""
    audit_heads.export_once_a_day(now=timezone.now(), path=settings.AUDIT_HEADS_PATH)


@shared_task(name="core.report_purge")
def report_purge() -> None:
    """Look once a day whether anything of a patient was kept too long."""
    retention.report_nightly(now=timezone.now())
