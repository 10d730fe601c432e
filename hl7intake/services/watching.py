"""Tell somebody when a sender that used to send has gone silent."""

import logging
from datetime import datetime

from django.db import transaction

from config_portal.models import FhirEndpoint
from core import audit
from hl7intake.models import SenderWatch
from hl7intake.services.health import SenderHealth, health_of

logger = logging.getLogger(__name__)


def look_for_silence(*, now: datetime) -> int:
    """Note each silence once, and its end; return how many silences began.

    Told by an audit event and a line of log at level error, for whatever the operator alarms with; e-mails follow
    (:mod:`hl7intake.services.emailing`). The portal shows it for as long as it lasts. A paused endpoint may be silent.
    """
    endpoints = FhirEndpoint.objects.approved().select_related("organization")
    return sum(_look(health, now=now) for health in health_of(endpoints, now=now))


@transaction.atomic
def change_watch(endpoint: FhirEndpoint, *, hours: int, actor: str) -> None:
    """From now on tell somebody after ``hours`` of silence; 0 tells nobody."""
    watch, _ = SenderWatch.objects.select_for_update().get_or_create(endpoint=endpoint)
    before, watch.hours = watch.hours, hours
    watch.save()
    audit.record(
        "sender_watch.changed",
        organization_id=endpoint.organization_id,
        actor=actor,
        subject=endpoint,
        changes=[{"what": f"Told after hours of silence of {endpoint.name}", "was": before, "now": hours}],
    )


def _look(health: SenderHealth, *, now: datetime) -> bool:
    if health.is_silent(now=now):
        return health.watch.alerted_at is None and _begin(health, now=now)
    if health.watch.alerted_at is not None:
        _end(health)
    return False


@transaction.atomic
def _begin(health: SenderHealth, *, now: datetime) -> bool:
    endpoint, last_at = health.endpoint, health.last_at
    assert last_at is not None  # noqa: S101 - nobody is silent who never spoke
    SenderWatch.objects.get_or_create(endpoint=endpoint)
    if not SenderWatch.objects.filter(endpoint=endpoint, alerted_at=None).update(alerted_at=now):
        return False
    audit.record(
        "sender.silent", organization_id=endpoint.organization_id, subject=endpoint, last_at=last_at.isoformat()
    )
    minutes = int((now - last_at).total_seconds() // 60)
    logger.error("sender is silent", extra={"endpoint": endpoint.name, "count": minutes})
    return True


@transaction.atomic
def _end(health: SenderHealth) -> None:
    endpoint = health.endpoint
    if SenderWatch.objects.filter(endpoint=endpoint).exclude(alerted_at=None).update(alerted_at=None, mailed_at=None):
        audit.record("sender.silence_over", organization_id=endpoint.organization_id, subject=endpoint)
