"""Circuit breakers: stop calling a supplier, or using a number, that keeps failing; try it again with one text.

Open after five failures in a row, or half of twenty together; at once when the account or number itself is
refused. Closed again by the first text that is taken. While it is open texts wait, or go the second way.
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from sms.models import SupplierHealth

FAILURES_TO_OPEN = 5
SAMPLE, BAD_SHARE = 20, 0.5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=5)
PROBE_LASTS = timedelta(seconds=60)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call said about the way it went.

    :param is_refusal: the account or number itself was refused, so trying on is pointless.
    """

    supplier: str
    number_id: UUID
    is_good: bool
    is_refusal: bool = False
    is_about_number: bool = False
    reason: str = ""


def key_of(supplier: str, number_id: UUID | None = None) -> str:
    """Return the breaker's key for a supplier, or for one of its numbers."""
    return f"{supplier}:{number_id}" if number_id else supplier


class Breakers:
    """The breakers as they stand for one batch; reading them costs one query."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        unhealthy = SupplierHealth.objects.filter(Q(failures__gt=0) | Q(opened_at__isnull=False))
        self._known = {health.key: health for health in unhealthy}
        self._probes: set[str] = set()

    def closed_until(self, supplier: str, number_id: UUID) -> datetime | None:
        """Return None when a text may go this way now, else when to ask again.

        The first text after an open breaker's pause is the probe: it may go, the others wait for it.
        """
        for key in (key_of(supplier), key_of(supplier, number_id)):
            health = self._known.get(key)
            if health is None or not health.is_open or self._may_probe(health):
                continue
            again = max(health.retry_at or self._now, health.probe_until or self._now, self._now)
            return again + timedelta(seconds=random.uniform(1, 5))  # noqa: S311 - jitter
        return None

    def note(self, outcomes: Iterable[Outcome], *, now: datetime) -> None:
        """Count what came of calls, and open or close breakers."""
        groups: dict[tuple[str, UUID | None], list[Outcome]] = {}
        for outcome in outcomes:
            groups.setdefault((outcome.supplier, None), [])
            groups.setdefault((outcome.supplier, outcome.number_id), [])
            if outcome.is_good or outcome.is_about_number:
                groups[outcome.supplier, outcome.number_id].append(outcome)
            if outcome.is_good or not outcome.is_about_number:
                groups[outcome.supplier, None].append(outcome)
        for (supplier, number_id), group in groups.items():
            self._note(supplier, number_id, group, now=now)

    def _may_probe(self, health: SupplierHealth) -> bool:
        if health.key in self._probes or health.retry_at is None or health.retry_at > self._now:
            return False
        free = Q(probe_until=None) | Q(probe_until__lte=self._now)
        won = SupplierHealth.objects.filter(free, key=health.key, opened_at__isnull=False, retry_at__lte=self._now)
        is_ours = won.update(probe_until=self._now + PROBE_LASTS) == 1
        health.probe_until = self._now + PROBE_LASTS
        if is_ours:
            self._probes.add(health.key)
        return is_ours

    def _note(self, supplier: str, number_id: UUID | None, group: list[Outcome], *, now: datetime) -> None:
        key = key_of(supplier, number_id)
        bad = [outcome for outcome in group if not outcome.is_good]
        if not bad and (not group or key not in self._known):
            return
        with transaction.atomic():
            SupplierHealth.objects.get_or_create(key=key, defaults={"supplier": supplier, "number_id": number_id})
            health = SupplierHealth.objects.select_for_update().get(key=key)
            is_all_bad = len(bad) == len(group)
            health.failures = health.failures + len(bad) if is_all_bad else 0
            is_half_bad = len(group) >= SAMPLE and len(bad) >= BAD_SHARE * len(group)
            if bad and (
                health.failures >= FAILURES_TO_OPEN or is_half_bad or health.is_open or any(o.is_refusal for o in bad)
            ):
                _open(health, reason=bad[-1].reason, now=now)
            elif not bad:
                _close(health)
            health.save()
        self._known[key] = health


def _open(health: SupplierHealth, *, reason: str, now: datetime) -> None:
    if health.is_open and health.retry_at and health.retry_at > now and not health.probe_until:
        return  # calls that were under way when it opened
    pause = min(FIRST_PAUSE * 2 ** min(health.openings, 8), LONGEST_PAUSE)
    health.openings += 1
    health.opened_at = health.opened_at or now
    health.retry_at, health.probe_until, health.reason = now + pause, None, reason
    logger.error("sending is interrupted", extra={"system": health.key, "code": reason})


def _close(health: SupplierHealth) -> None:
    if health.is_open:
        logger.warning("sending goes on", extra={"system": health.key})
    health.failures = health.openings = 0
    health.opened_at = health.retry_at = health.probe_until = None
    health.reason = ""
