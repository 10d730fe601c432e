"""Background work of the portal."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from config_portal.services.preflight import run_preflight, unfinished_runs
from config_portal.services.rotation import advance_rotations
from core.jobs import enqueue


@shared_task(name="config_portal.run_preflight")
def run_preflight_task(run_id: str) -> None:
    """Carry one run of the pre-flight check out."""
    run_preflight(UUID(run_id), clock=timezone.now)


@shared_task(name="config_portal.run_waiting_preflights")
def run_waiting_preflights() -> None:
    """Find runs that nobody carries out: the broker was away, or a worker died."""
    for run_id in unfinished_runs(now=timezone.now()):
        enqueue(run_preflight_task, str(run_id))


@shared_task(name="config_portal.advance_rotations")
def advance_key_rotations() -> None:
    """Switch to keys that Epic has by now, and retire those that nobody needs any more."""
    advance_rotations(now=timezone.now())
