"""Files in words: what they hold and how far they are."""

from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from core.moments import written
from reports.models import Export, SavedView

_UNTOLD = ("columns", "series", "sort", "tab")  # how a page looks, not which visits it is about


@dataclass(frozen=True)
class ExportRow:
    """One file."""

    export: Export
    zone: str

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.export.file_name

    @property
    def content(self) -> str:
        """What it holds."""
        told = {name: value for name, value in self.export.given.items() if name not in _UNTOLD}
        chosen = [f"{name.replace('_', ' ')} {value}" for name, value in told.items()]
        return ", ".join([self._subject, *chosen])

    @property
    def _subject(self) -> str:
        subject = self.export.get_subject_display()
        tab = self.export.given.get("tab")
        return f"{subject}: {SavedView.Tab(tab).label}" if tab else subject

    @property
    def status(self) -> tuple[str, str]:
        """Tone and words for where it stands."""
        return {
            Export.PENDING: ("neutral", "Waiting"),
            Export.SENDING: ("info", "Being made"),
            Export.DONE: ("ok", "Ready"),
        }.get(self.export.state, ("bad", "Failed"))

    @property
    def is_under_way(self) -> bool:
        """Whether rows are being written."""
        return self.export.state == Export.SENDING and self.export.subject != Export.Subject.SUMMARY

    @property
    def progress(self) -> str:
        """How far it is."""
        return f"{self.export.rows_done:,} of {self.export.rows_total:,} rows"

    @property
    def size(self) -> str:
        """How big it is."""
        size = filesizeformat(self.export.size)
        return size if self.export.subject == Export.Subject.SUMMARY else f"{self.export.rows_done:,} rows, {size}"

    @property
    def url(self) -> str:
        """Where it is fetched; '' while it is not ready."""
        return reverse("reports:download", args=[self.export.pk]) if self.export.state == Export.DONE else ""

    @property
    def until(self) -> str:
        """Until when it is kept."""
        return written(self.export.purge_at, style="day", zone_name=self.zone)
