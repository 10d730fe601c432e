"""Write to the ledger and wait for it; the sandbox is one process, so a condition is enough."""

import threading
import time
from typing import Any

from django.db import connection, transaction

from sandbox.models import LedgerEntry

_changed = threading.Condition()
_TURN = 0x1ED6E5  # the number of our advisory lock


def record(system: str, kind: str, *, key: str = "", **data: Any) -> LedgerEntry:
    """Append an entry and wake everybody who waits for one."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever reads on from the newest id must never miss a lower one that is committed after it.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
        entry = LedgerEntry.objects.create(system=system, kind=kind, key=key, data=data)
        transaction.on_commit(_wake)
    return entry


def find(*, after: int = 0, system: str = "", kind: str = "", key: str = "", limit: int = 500) -> list[LedgerEntry]:
    """Return the entries behind ``after`` that match every given word, oldest first."""
    entries = LedgerEntry.objects.filter(id__gt=after)
    for name, value in (("system", system), ("kind", kind), ("key", key)):
        if value:
            entries = entries.filter(**{name: value})
    return list(entries[:limit])


def wait_for(*, seconds: float, after: int = 0, system: str = "", kind: str = "", key: str = "") -> list[LedgerEntry]:
    """Return the matching entries as soon as there is one, or an empty list after ``seconds``."""
    deadline = time.monotonic() + seconds
    with _changed:
        while True:
            entries = find(after=after, system=system, kind=kind, key=key)
            left = deadline - time.monotonic()
            if entries or left <= 0:
                return entries
            _changed.wait(min(left, 1.0))


def _wake() -> None:
    with _changed:
        _changed.notify_all()
