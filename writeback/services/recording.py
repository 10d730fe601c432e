"""What became of a call, written to its row."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import outbox
from core.errors import ConnectorError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from writeback.models import WritebackEvent

# Who was in a visit yesterday helps nobody any more, and an outage must not leave a queue for ever.
GIVE_UP_AFTER = timedelta(hours=24)

State = WritebackEvent.State

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a call ended: accepted with ``status``, or with ``error``; it took ``milliseconds``."""

    status: int = 0
    error: ConnectorError | None = None
    milliseconds: int
    means: str
    is_repeatable: bool


def record(row: WritebackEvent, result: Result, *, now: datetime) -> None:
    """Write ``result`` to ``row``: accepted, refused for good, to be tried again, or unknown."""
    error = result.error
    if error is None:
        outbox.finish(
            row, state=State.ACCEPTED, now=now, http_status=result.status, response_ms=result.milliseconds,
            means=result.means,
        )  # fmt: skip
    elif isinstance(error, UpstreamRejected):
        logger.warning("write-back refused", extra={"code": error.code, "status": error.status})
        outbox.finish(
            row, state=State.FAILED, now=now, error_code=error.code, http_status=error.status or None,
            response_ms=result.milliseconds, means=result.means, epic_code=error.detail[:40],
        )  # fmt: skip
    elif isinstance(error, OutcomeUnknown) and not result.is_repeatable:
        outbox.finish(row, state=State.UNKNOWN, now=now, error_code=error.code, means=result.means)
    else:
        _try_again(row, error, now=now)


def hold(row: WritebackEvent, *, code: str, now: datetime) -> None:
    """Keep ``row`` as not sendable until a launch brings what is missing."""
    outbox.finish(row, state=State.NOT_SENDABLE, now=now, error_code=code)
    WritebackEvent.objects.filter(pk=row.pk, state=State.NOT_SENDABLE).update(finished_at=None)


def _try_again(row: WritebackEvent, error: ConnectorError, *, now: datetime) -> None:
    """Put the row back; after a day stop, as unknown when the last call may have arrived.

    A configuration error is waited for too: a paused endpoint goes on and keys reach Epic within a day.
    """
    if now - row.occurred_at > GIVE_UP_AFTER:
        is_unknown = isinstance(error, OutcomeUnknown)
        outbox.finish(row, state=State.UNKNOWN if is_unknown else State.FAILED, now=now, error_code=error.code)
        return
    after = error.retry_after if isinstance(error, UpstreamUnavailable) else None
    outbox.retry_later(row, now=now, error_code=error.code, after=after)
