"""A saved view as an e-mail: its numbers in words and on one page, a link to it, its rows where they are few."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from django.conf import settings
from django.urls import reverse

from core.mail import Attachment
from core.spreadsheet import csv_lines
from reports import typeset
from reports.models import Export, SavedView
from reports.presenters.address import Address
from reports.presenters.files import header_of, rows_of
from reports.presenters.overview import overview_of
from reports.presenters.privacy import Privacy
from reports.presenters.report import lead
from reports.presenters.sheet import sheet_of
from reports.services import choices, exporting, refreshing
from reports.services.asked import Asked, understand

PAGES = {
    SavedView.Tab.APPOINTMENTS: "reports:usage",
    SavedView.Tab.DURATION: "reports:duration",
    SavedView.Tab.EHR: "reports:ehr",
    SavedView.Tab.SMS: "reports:sms",
    SavedView.Tab.QUALITY: "reports:quality",
}
# What the rows of each tab are.
SUBJECTS = {
    SavedView.Tab.APPOINTMENTS: Export.Subject.VISITS,
    SavedView.Tab.DURATION: Export.Subject.VISITS,
    SavedView.Tab.EHR: Export.Subject.VISITS,
    SavedView.Tab.SMS: Export.Subject.TEXTS,
    SavedView.Tab.QUALITY: Export.Subject.CALLS,
}
MOST_ATTACHED = 5_000


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is sent."""

    subject: str
    body: str
    attachments: list[Attachment]


def path_of(view: SavedView) -> str:
    """Return the address of a saved view, without the host."""
    page = reverse(PAGES[SavedView.Tab(view.tab)])
    return f"{page}?{view.query}" if view.query else page


def letter_of(view: SavedView, *, now: datetime) -> Letter:
    """Write the e-mail of a saved view; it holds what a report reader may see, and no number of Epic's."""
    chosen = dict(parse_qsl(view.query))
    asked = understand(chosen, view.organization, now=now)
    privacy = Privacy(choices.settings_of(view.organization).smallest_shown)
    shown = overview_of(view.tab, asked, Address(path_of(view), chosen), privacy, now=now)
    lines = [f"{stat.label}: {stat.value}" for stat in shown.stats]
    url = f"{settings.PUBLIC_URL}{path_of(view)}"
    body = "\n".join(
        [
            f"{view.name} of {view.organization.name}",
            lead(asked, refreshing.as_of()),
            "",
            *lines,
            "",
            f"All rows, and what the numbers mean: {url}",
            f"{view.owner.username} has this sent. It ends under Reports, Saved views.",
        ]
    )
    page = typeset.pdf_of(sheet_of(view.tab, shown, asked, privacy, now=now), made_at=now)
    summary = Attachment(name="summary.pdf", content=page, media_type="application/pdf")
    attachments = [summary, *([] if privacy.hides_rows else _rows(view, asked))]
    return Letter(subject=f"{view.name}: {view.get_tab_display()}", body=body, attachments=attachments)


def _rows(view: SavedView, asked: Asked) -> list[Attachment]:
    subject = SUBJECTS[SavedView.Tab(view.tab)]
    if exporting.count_of(subject, asked) > MOST_ATTACHED:
        return []
    columns = Address("", dict(parse_qsl(view.query))).listed("columns")
    lines = csv_lines(header_of(subject, columns), rows_of(subject, asked, columns, names_visits=False))
    return [Attachment(name=f"{subject}.csv", content="".join(lines), media_type="text/csv")]
