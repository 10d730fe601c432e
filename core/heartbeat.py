"""Processes say that they are alive; ``/readyz`` and the status page read it."""

from datetime import datetime, timedelta

from django.utils import timezone

from core.models import Heartbeat

WORKER, BEAT, MLLP = "worker", "beat", "mllp"
STALE_AFTER = timedelta(seconds=60)


def beat(name: str) -> None:
    """Record that the process called ``name`` is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def is_alive(name: str, *, now: datetime) -> bool:
    """Return whether ``name`` was heard of within the last minute."""
    return Heartbeat.objects.filter(name=name, at__gt=now - STALE_AFTER).exists()
