"""Is anything of a patient kept longer than promised? Each app says how it looks; a nightly report says what was found.

An app registers a check from ``AppConfig.ready()``; it counts rows that should have been erased by ``now``.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from core import audit
from core.models import AuditEvent

CountOverdue = Callable[[datetime], int]

REPORTED = "privacy.purge_reported"
EVERY = timedelta(hours=23)

logger = logging.getLogger(__name__)

_checks: dict[str, CountOverdue] = {}


def register(name: str, count_overdue: CountOverdue) -> None:
    """Have the report say, under ``name``, how many rows are kept too long."""
    _checks[name] = count_overdue


def overdue(*, now: datetime) -> dict[str, int]:
    """Return for every check how many rows are kept too long."""
    return {name: check(now) for name, check in sorted(_checks.items())}


def report(*, now: datetime) -> dict[str, int]:
    """Look, write the result into the audit trail, and raise the alarm when anything was kept too long."""
    found = overdue(now=now)
    audit.record(REPORTED, overdue=found)
    if any(found.values()):
        logger.error("numbers are kept too long", extra={"count": sum(found.values())})
    return found


def report_nightly(*, now: datetime) -> bool:
    """Report unless that was done within a day; True when it was done now."""
    is_done = AuditEvent.objects.filter(organization_id=audit.PLATFORM, action=REPORTED, at__gt=now - EVERY).exists()
    if not is_done:
        report(now=now)
    return not is_done
