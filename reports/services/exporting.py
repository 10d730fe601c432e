"""Make files of reports in the background: row by row, kept in parts, in memory that does not grow."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from config_portal.models import Organization
from core import audit, outbox
from core.errors import ConfigurationError
from core.spreadsheet import csv_lines
from core.workbook import xlsx_parts
from reports.models import Export, ExportPart
from reports.services.asked import Asked, facts_of, understand
from reports.services.call_figures import records_of
from reports.services.texts import texts_of

KEPT = timedelta(hours=24)
MOST_AT_ONCE = 3
MOST_ATTEMPTS = 3  # of workers that died over it
PART_BYTES = 512 * 1024
LEASE = timedelta(minutes=5)

# How a row of a subject is written; the presenters, who know the columns, fill this in.
Rows = Iterator[Sequence[object]]

logger = logging.getLogger(__name__)


@transaction.atomic
def ask(
    organization: Organization,
    *,
    subject: str,
    format: str,  # noqa: A002 - what people call it
    given: dict[str, str],
    columns: Sequence[str],
    names_visits: bool,
    actor: str,
    now: datetime,
) -> Export:
    """Put a file in line.

    :raises ConfigurationError: ``reports.too_many_exports`` while the person has others under way.
    """
    under_way = Export.objects.for_organization(organization).filter(
        requested_by=actor, state__in=(Export.PENDING, Export.SENDING)
    )
    if under_way.count() >= MOST_AT_ONCE:
        raise ConfigurationError("reports.too_many_exports", f"Wait until one of your {MOST_AT_ONCE} files is ready.")
    export = Export.objects.create(
        organization=organization,
        requested_by=actor,
        subject=subject,
        format=format,
        given=given,
        columns=list(columns),
        names_visits=names_visits,
        due_at=now,
        purge_at=now + KEPT,
    )
    audit.record("reports.exported", organization_id=organization.pk, actor=actor, subject=export, asked=given)
    return export


def claim_due(*, now: datetime, export_id: UUID | None = None) -> list[Export]:
    """Claim files that wait, one or all; what a worker began and left is begun anew."""
    Export.objects.abandoned_before(now).update(state=Export.PENDING, due_at=now)
    due = Export.objects.due_before(now)
    if export_id is not None:
        due = due.filter(pk=export_id)
    return outbox.claim(due, now=now, limit=1, lease=LEASE)


def asked_of(export: Export, *, now: datetime) -> Asked:
    """Return what the file is about."""
    return understand(export.given, export.organization, now=now)


def count_of(subject: str, asked: Asked) -> int:
    """Return how many rows a file will have."""
    if subject == Export.Subject.TEXTS:
        return texts_of(asked).count()
    return records_of(asked).count() if subject == Export.Subject.CALLS else facts_of(asked).count()


def make(export: Export, *, header: Sequence[str], rows: Rows, total: int, now: datetime) -> None:
    """Write a claimed export in parts; a worker that lost its claim stops."""
    export.parts.all().delete()
    Export.objects.filter(pk=export.pk).update(rows_total=total, rows_done=0, size=0)
    counted = _Counted(rows)
    size = 0
    for number, part in enumerate(_parts(_bytes(export, header, counted))):
        size += len(part)
        if not _store(export, number=number, part=part, size=size, rows=counted.count):
            return
    outbox.finish(export, state=Export.DONE, now=now, rows_done=counted.count, size=size)


def keep(export: Export, content: bytes, *, now: datetime) -> None:
    """Store a claimed export that was made in one go, unless the claim was lost meanwhile."""
    export.parts.all().delete()
    for number, part in enumerate(_parts([content])):
        if not _store(export, number=number, part=part, size=len(content), rows=0):
            return
    outbox.finish(export, state=Export.DONE, now=now, size=len(content))


def fail(export: Export, *, error_code: str, now: datetime) -> None:
    """Give up an export that could not be made."""
    export.parts.all().delete()
    outbox.finish(export, state=Export.FAILED, now=now, error_code=error_code)


def content_of(export: Export) -> Iterator[bytes]:
    """Yield the bytes of a finished export."""
    numbers = export.parts.order_by("number").values_list("pk", flat=True)
    for pk in list(numbers):
        yield bytes(ExportPart.objects.get(pk=pk).data)


def purge(*, now: datetime) -> int:
    """Remove exports a day old; return how many rows went."""
    return Export.objects.filter(purge_at__lte=now).delete()[0]


class _Counted:
    """Rows, and how many have been taken."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.count = 0

    def __iter__(self) -> Rows:
        for row in self.rows:
            self.count += 1
            yield row


def _bytes(export: Export, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    if export.format == Export.Format.XLSX:
        return xlsx_parts(header, rows)
    return (line.encode() for line in csv_lines(header, rows))


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Put small pieces together."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PART_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


@transaction.atomic
def _store(export: Export, *, number: int, part: bytes, size: int, rows: int) -> bool:
    """Keep one part and say how far the file is; False when the claim was lost."""
    mine = Export.objects.filter(pk=export.pk, state=Export.SENDING, attempt_id=export.attempt_id)
    # The clock is read here: how long a file takes is known only while it is made.
    if not mine.update(rows_done=rows, size=size, lease_until=timezone.now() + LEASE):
        return False
    ExportPart.objects.create(export=export, number=number, data=part)
    return True
