"""A saved view as an e-mail: its numbers in words, a link to it, its rows as a file where they are few."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from django.conf import settings
from django.urls import reverse

from core.mail import Attachment
from core.spreadsheet import csv_lines
from reports.models import Export, SavedView
from reports.presenters import tabs
from reports.presenters.address import Address
from reports.presenters.files import header_of, rows_of
from reports.presenters.privacy import Privacy
from reports.presenters.quality import quality_stats
from reports.presenters.report import lead
from reports.services import allocation, call_figures, choices, refreshing, texts
from reports.services.asked import Asked, facts_of, understand
from reports.services.figures import figures

PAGES = {
    SavedView.Tab.APPOINTMENTS: "reports:usage",
    SavedView.Tab.DURATION: "reports:duration",
    SavedView.Tab.EHR: "reports:ehr",
    SavedView.Tab.SMS: "reports:sms",
    SavedView.Tab.QUALITY: "reports:quality",
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
    asked = understand(dict(parse_qsl(view.query)), view.organization, now=now)
    privacy = Privacy(choices.settings_of(view.organization).smallest_shown)
    lines = [f"{stat.label}: {stat.value}" for stat in _stats(view, asked, privacy, now=now)]
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
    attachments = [] if privacy.hides_rows else _rows(view, asked)
    return Letter(subject=f"{view.name}: {view.get_tab_display()}", body=body, attachments=attachments)


def _stats(view: SavedView, asked: Asked, privacy: Privacy, *, now: datetime) -> list[tabs.Stat]:
    address = Address(path_of(view), {})
    if view.tab == SavedView.Tab.SMS:
        return tabs.text_stats(texts.outcomes(asked), texts.segments(asked), address)
    if view.tab == SavedView.Tab.QUALITY:
        return quality_stats(call_figures.quality(asked), address, privacy)
    found = figures(asked, with_sketches=True)[""]
    if view.tab == SavedView.Tab.DURATION:
        return tabs.duration_stats(found, privacy)
    if view.tab == SavedView.Tab.EHR:
        return tabs.ehr_stats(found, allocation.month_usage(asked, now=now), address, privacy)
    return tabs.appointment_stats(found, address, privacy)


def _rows(view: SavedView, asked: Asked) -> list[Attachment]:
    if view.tab == SavedView.Tab.QUALITY:
        return []
    is_texts = view.tab == SavedView.Tab.SMS
    subject = Export.Subject.TEXTS if is_texts else Export.Subject.VISITS
    count = texts.texts_of(asked).count() if is_texts else facts_of(asked).count()
    if count > MOST_ATTACHED:
        return []
    columns = Address("", dict(parse_qsl(view.query))).listed("columns")
    lines = csv_lines(header_of(subject, columns), rows_of(subject, asked, columns, names_visits=False))
    return [Attachment(name=f"{subject}.csv", content="".join(lines), media_type="text/csv")]
