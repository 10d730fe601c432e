"""Claim due rows of an outbox so that no two workers hold the same one (ADR 2)."""

import random
import uuid
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import F, QuerySet

from core.models import OutboxRow, backoff

LEASE = timedelta(seconds=90)

Row = TypeVar("Row", bound=OutboxRow)


def claim(rows: "QuerySet[Row]", *, now: datetime, limit: int = 100, lease: timedelta = LEASE) -> list[Row]:
    """Mark up to ``limit`` of ``rows`` as ``sending`` and return them, oldest due first.

    ``rows`` is what may be claimed, such as ``SmsMessage.objects.due_before(now)``. Rows that another
    worker holds are passed over (``FOR UPDATE SKIP LOCKED``). The claim is committed on return.
    """
    with transaction.atomic():
        claimed = list(rows.order_by("due_at").select_for_update(skip_locked=True, of=("self",))[:limit])
        attempt_id = uuid.uuid4()
        type_of_row = rows.model
        type_of_row._default_manager.filter(pk__in=[row.pk for row in claimed]).update(
            state=OutboxRow.SENDING, attempts=F("attempts") + 1, attempt_id=attempt_id, lease_until=now + lease
        )
    for row in claimed:
        row.state, row.attempt_id, row.lease_until = OutboxRow.SENDING, attempt_id, now + lease
        row.attempts += 1
    return claimed


def finish(row: OutboxRow, *, state: str, now: datetime, error_code: str = "", **values: object) -> bool:
    """Record the final ``state`` of a claimed row; False when the claim was lost meanwhile.

    :param values: what else is written; it may also say that the row goes on after all.
    """
    recorded: dict[str, object] = {"finished_at": now, "lease_until": None, "error_code": error_code, **values}
    return _settle(row, state=state, **recorded)


def retry_later(row: OutboxRow, *, now: datetime, error_code: str, after: float | None = None) -> bool:
    """Put a claimed row back with growing distance and jitter.

    :param after: seconds that the other system asked us to wait, if it did.
    """
    wait = timedelta(seconds=after) if after is not None else backoff(row.attempts) * random.uniform(0.5, 1)  # noqa: S311 - jitter
    return _settle(row, state=OutboxRow.PENDING, due_at=now + wait, lease_until=None, error_code=error_code)


def _settle(row: OutboxRow, **values: object) -> bool:
    updated = (
        type(row)
        ._default_manager.filter(pk=row.pk, state=OutboxRow.SENDING, attempt_id=row.attempt_id)
        .update(**values)
    )
    for name, value in values.items():
        setattr(row, name, value)
    return updated == 1
