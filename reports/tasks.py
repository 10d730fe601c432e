"""Background work of the reports."""

import logging
import uuid
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from config_portal.models import Organization
from core import mail
from core.errors import ConnectorError
from reports import typeset
from reports.models import Export
from reports.presenters.address import Address
from reports.presenters.files import header_of, rows_of
from reports.presenters.letter import letter_of
from reports.presenters.overview import overview_of
from reports.presenters.privacy import Privacy
from reports.presenters.sheet import sheet_of
from reports.services import call_news, call_quality, choices, exporting, refreshing, saved_views

# A million rows take minutes, and so does summing all days of a hospital anew; nobody waits for it at a page.
_LONG_SECONDS = 3_000

logger = logging.getLogger(__name__)


@shared_task(name="reports.refresh", time_limit=_LONG_SECONDS + 60, soft_time_limit=_LONG_SECONDS)
def refresh() -> None:
    """Take into the figures what has happened since the last time."""
    refreshing.refresh(now=timezone.now())


@shared_task(name="reports.export", time_limit=_LONG_SECONDS + 60, soft_time_limit=_LONG_SECONDS)
def export(export_id: str) -> None:
    """Make one file."""
    _make(uuid.UUID(export_id))


@shared_task(name="reports.export_due", time_limit=_LONG_SECONDS + 60, soft_time_limit=_LONG_SECONDS)
def export_due() -> None:
    """Make a file that waits, or that a worker began and left."""
    _make(None)


@shared_task(name="reports.send_views")
def send_views() -> None:
    """Send every saved view whose time has come."""
    now = timezone.now()
    while (view := saved_views.claim_due(now=now)) is not None:
        try:
            letter = letter_of(view, now=now)
            mail.send(
                subject=letter.subject, body=letter.body, recipients=view.recipients, attachments=letter.attachments
            )
        except ConnectorError as error:
            logger.warning("report not sent", extra={"code": error.code})
            saved_views.note_failed(view, error_code=error.code)
        else:
            saved_views.note_sent(view, now=now)


@shared_task(name="reports.sweep_call_records", time_limit=_LONG_SECONDS + 60, soft_time_limit=_LONG_SECONDS)
def sweep_call_records() -> None:
    """Fetch the call records of visits."""
    call_quality.sweep_due(now=timezone.now())


@shared_task(name="reports.look_at_news", time_limit=_LONG_SECONDS + 60, soft_time_limit=_LONG_SECONDS)
def look_at_news() -> None:
    """Fetch the calls that Graph told of."""
    call_news.look_at_due()


@shared_task(name="reports.judge_again", time_limit=_LONG_SECONDS + 60, soft_time_limit=_LONG_SECONDS)
def judge_again(organization_id: str) -> None:
    """Judge every stream of an organization by its new thresholds."""
    call_quality.judge_again(Organization.objects.get(pk=uuid.UUID(organization_id)))


@shared_task(name="reports.forget")
def forget() -> None:
    """Remove files that are a day old."""
    exporting.purge(now=timezone.now())


def _make(export_id: uuid.UUID | None) -> None:
    now = timezone.now()
    for claimed in exporting.claim_due(now=now, export_id=export_id):
        if claimed.attempts > exporting.MOST_ATTEMPTS:
            exporting.fail(claimed, error_code="reports.export_failed", now=now)
            continue
        if claimed.subject == Export.Subject.SUMMARY:
            exporting.keep(claimed, _summary(claimed, now=now), now=timezone.now())
        else:
            _make_rows(claimed, now=now)


def _make_rows(claimed: Export, *, now: datetime) -> None:
    asked = exporting.asked_of(claimed, now=now)
    exporting.make(
        claimed,
        header=header_of(claimed.subject, claimed.columns),
        rows=rows_of(claimed.subject, asked, claimed.columns, names_visits=claimed.names_visits),
        total=exporting.count_of(claimed.subject, asked),
        now=timezone.now(),
    )


def _summary(claimed: Export, *, now: datetime) -> bytes:
    """Return one tab on one page, with what the person who asked may be told."""
    smallest = 0 if claimed.names_visits else choices.settings_of(claimed.organization).smallest_shown
    asked, tab, privacy = exporting.asked_of(claimed, now=now), claimed.given["tab"], Privacy(smallest)
    shown = overview_of(tab, asked, Address("", claimed.given), privacy, now=now)
    return typeset.pdf_of(sheet_of(tab, shown, asked, privacy, now=now), made_at=now)
