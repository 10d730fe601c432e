"""Heads of the audit chains, kept outside the database: whoever can rewrite a whole chain cannot rewrite them.

Every head is one JSON line in the log and, when ``AUDIT_HEADS_PATH`` names one, in a file.
"""

import json
import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import InvalidMessage
from core.models import AuditChain, AuditEvent, Heartbeat

EXPORTED = "audit_heads"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last event of a chain at a moment: its number and its digest in hexadecimal."""

    at: str
    organization: str
    sequence: int
    head: str

    @property
    def holds(self) -> bool:
        """Whether the event is still there with the same digest."""
        event = AuditEvent.objects.filter(organization_id=uuid.UUID(self.organization), sequence=self.sequence).first()
        return event is not None and bytes(event.digest).hex() == self.head


def current(*, now: datetime) -> Iterator[Head]:
    """Return the head of every chain that has an event."""
    for chain in AuditChain.objects.filter(sequence__gt=0).order_by("organization_id"):
        yield Head(
            at=now.astimezone(UTC).isoformat(timespec="seconds"),
            organization=str(chain.organization_id),
            sequence=chain.sequence,
            head=bytes(chain.head).hex(),
        )


def export(*, now: datetime, path: str = "") -> int:
    """Write every head to the log and, with a ``path``, behind what the file holds; return how many.

    :raises OSError: the file cannot be written.
    """
    heads = list(current(now=now))
    if path:
        _append(Path(path), (json.dumps(asdict(head)) for head in heads))
    for head in heads:
        logger.info("audit head %s %s %s", head.organization, head.sequence, head.head)
    Heartbeat.objects.update_or_create(name=EXPORTED, defaults={"at": now})
    return len(heads)


def export_once_a_day(*, now: datetime, path: str = "") -> int:
    """Export unless that was done since midnight UTC; return how many heads were written."""
    last = Heartbeat.objects.filter(name=EXPORTED).first()
    if last is not None and last.at.astimezone(UTC).date() >= now.astimezone(UTC).date():
        return 0
    return export(now=now, path=path)


def read(lines: Iterable[str]) -> Iterator[Head]:
    """Return the heads of an exported file.

    :raises InvalidMessage: ``audit.heads_unreadable``, naming the line.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            uuid.UUID(values["organization"])
            yield Head(**values)
        except (ValueError, TypeError, KeyError) as error:
            message = f"Line {number} of the file of exported heads is not one."
            raise InvalidMessage("audit.heads_unreadable", message) from error


def _append(path: Path, lines: Iterable[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
