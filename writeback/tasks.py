"""Wake-ups for write-backs; the rows are the truth."""

import time
import uuid
from datetime import timedelta

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from config_portal.models import FhirEndpoint
from core import jobs
from writeback.models import WritebackEvent
from writeback.services import courier, ledger, outbox

_SIGN_OF_LIFE_SECONDS = 5.0
_A_DAY = 24 * 60 * 60
# Two nights look at each visit, so that one missed night is made up for.
_LOOKS_BACK = timedelta(hours=50)
_REPORTS_LATEST = timedelta(hours=1)


@shared_task(name="writeback.deliver")
def deliver(endpoint_id: str) -> None:
    """Tell one Epic everything that is due; while it works, nobody else is woken for the same."""
    endpoint = FhirEndpoint.objects.select_related("organization", "approved_version").get(pk=uuid.UUID(endpoint_id))
    sign_of_life = _SignOfLife(endpoint_id)
    if courier.deliver(endpoint, clock=timezone.now, on_turn=sign_of_life) is None:
        return  # another worker is at it, and will look again after it has said that it sleeps
    jobs.go_to_sleep(deliver, endpoint_id)
    if courier.has_due(endpoint, now=timezone.now()):  # committed since the last look, or the run was long enough
        jobs.enqueue(deliver, endpoint_id)


@shared_task(name="writeback.sweep")
def sweep() -> None:
    """Pick up what no other wake-up did: after lost workers, an absent broker or a late conference id."""
    now = timezone.now()
    outbox.recover_abandoned(now=now)
    outbox.release_all_held(now=now)
    for endpoint_id in WritebackEvent.objects.due_before(now).values_list("endpoint_id", flat=True).distinct():
        jobs.enqueue(deliver, str(endpoint_id))


@shared_task(name="writeback.reconcile")
def reconcile() -> None:
    """Hold what Epic was told against what happened, once a day."""
    now = timezone.now()
    if not cache.add(f"writeback:reconciled:{now:%Y-%m-%d}", 1, _A_DAY):
        return
    meetings = ledger.ended_meetings(None, since=now - _LOOKS_BACK, until=now - _REPORTS_LATEST)
    ledger.reconcile(meetings, actor="system", now=now)


class _SignOfLife:
    """Says now and then that the courier is at work."""

    def __init__(self, endpoint_id: str) -> None:
        self._endpoint_id = endpoint_id
        self._said_at = 0.0

    def __call__(self) -> None:
        if time.monotonic() - self._said_at > _SIGN_OF_LIFE_SECONDS:
            jobs.stay_awake(deliver, self._endpoint_id)
            self._said_at = time.monotonic()
