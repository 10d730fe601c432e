"""Differences between what Epic was told and what happened, in words."""

from dataclasses import dataclass

from django.urls import reverse

from core.moments import written
from meetings.models import PresenceEvent
from writeback.models import WritebackEvent
from writeback.services.ledger import Difference, Gap

_WORDS = {
    Gap.CORRECTED: ("Told late", "Graph said nothing of it; the attendance report did, and Epic was told.", "ok"),
    Gap.NOT_TOLD: ("Not told", "Epic has not accepted it.", "bad"),
    Gap.LEFT_OUT: ("Left out", "It was over when we heard of it, and Epic's status was right without it.", "neutral"),
    Gap.DISPROVED: ("Told wrongly", "Later news took it back; Epic was told the right status after it.", "warn"),
    Gap.WRONG_STATUS: ("Wrong status", "Epic's last status is not how it ended; the next run sets it right.", "bad"),
    Gap.NO_REPORT: ("No report", "Teams gave no attendance report to compare with.", "warn"),
}
COLUMNS = ("When", "Visit", "Reference", "Who", "What", "Difference", "Meaning", "Source", "State")


@dataclass(frozen=True)
class DifferenceRow:
    """One difference as a row of the page and of the CSV file."""

    difference: Difference

    @property
    def url(self) -> str:
        """The visit's timeline."""
        return reverse("visits:detail", args=[self.difference.meeting.visit_id])

    @property
    def visit(self) -> str:
        """The visit's number."""
        visit = self.difference.meeting.visit
        return visit.session_id or visit.reference

    @property
    def who(self) -> str:
        """Whom it is about."""
        participant = self.difference.participant
        return participant.label if participant else "Everybody"

    @property
    def what(self) -> str:
        """What Epic should have heard, or did."""
        kind = self.difference.kind
        return str(WritebackEvent.Kind(kind).label) if kind else ""

    @property
    def gap(self) -> str:
        """How it differs."""
        return _WORDS[self.difference.gap][0]

    @property
    def meaning(self) -> str:
        """What that means."""
        return _WORDS[self.difference.gap][1]

    @property
    def tone(self) -> str:
        """The tone of :attr:`gap`."""
        return _WORDS[self.difference.gap][2]

    @property
    def source(self) -> str:
        """Where we heard of it."""
        source = self.difference.source
        return str(PresenceEvent.Source(source).label) if source else ""

    @property
    def zone(self) -> str:
        """The visit's zone."""
        return self.difference.meeting.visit.time_zone

    @property
    def cells(self) -> list[str]:
        """The row of the CSV file, under ``COLUMNS``."""
        when = written(self.difference.at, zone_name=self.zone)
        reference = self.difference.meeting.visit.reference
        state = self.difference.state
        return [when, self.visit, reference, self.who, self.what, self.gap, self.meaning, self.source, state]
