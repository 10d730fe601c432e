"""How a visit is put in words: state, figures, what needs attention."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from reports.presenters.words import DASH, clock, minutes, of, span
from reports.services.attention import Stage, attention_of, stage_of
from reports.services.board import VisitRow
from visits.models import Visit


@dataclass(frozen=True)
class VisitPresenter:
    """One visit in words. The template decides nothing."""

    row: VisitRow
    now: datetime

    @property
    def visit(self) -> Visit:
        """The visit itself."""
        return self.row.visit

    @property
    def title(self) -> str:
        """What staff call it: Epic's own number, or ours once that is erased."""
        return f"Visit {self.name}"

    @property
    def name(self) -> str:
        """Its number in lists."""
        return self.visit.session_id or self.visit.reference

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """The way back to the board."""
        return [("Visits", reverse("visits:board"))]

    @property
    def url(self) -> str:
        """Where its timeline is."""
        return reverse("visits:detail", args=[self.visit.pk])

    @property
    def zone(self) -> str:
        """The zone in which its times are told."""
        return self.visit.time_zone

    @property
    def starts(self) -> str:
        """The planned start as people say it: ``2:00 PM CST``."""
        return clock(self.visit.starts_at, self.zone) if self.visit.starts_at else "Not scheduled"

    @property
    def kind(self) -> str:
        """Visit type and department, as far as Epic told them."""
        parts = [self.visit.visit_type_name.capitalize() or "Video visit", self.visit.department]
        return " · ".join(part for part in parts if part)

    @property
    def status(self) -> str:
        """Where the visit stands, in a few words."""
        return self._status[0]

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return self._status[1]

    @property
    def lead(self) -> str:
        """The line under the heading."""
        people = self.row.attendance.total
        parts = [self.kind, self.starts, f"{people} participant{'' if people == 1 else 's'}"]
        if self.row.attendance.started_at is not None:
            parts.append(f"together for {self.duration}")
        return " · ".join(parts)

    @property
    def lobby_wait(self) -> str:
        """How long somebody waited in the lobby, minutes and seconds."""
        since = self.row.attendance.waiting_since
        if since is not None:
            return span(self.now - since)
        waited = self.row.attendance.lobby_wait
        return span(waited) if waited is not None else DASH

    @property
    def duration(self) -> str:
        """How long provider and patient were together."""
        attendance = self.row.attendance
        if attendance.started_at is None:
            return DASH
        return span((attendance.ended_at or self.now) - attendance.started_at)

    @property
    def texts(self) -> str:
        """Texts delivered of texts sent."""
        return of(self.row.texts_delivered, self.row.texts_sent)

    @property
    def told(self) -> str:
        """Reports that Epic accepted of those it is owed."""
        return of(self.row.epic_told, self.row.epic_to_tell)

    @property
    def stage(self) -> Stage:
        """Where the visit stands, for the filters of the board."""
        return stage_of(self.row)

    @property
    def attention(self) -> list[str]:
        """What a person should look at."""
        return [_ATTENTION[reason] for reason in attention_of(self.row, now=self.now)]

    @property
    def environment(self) -> str:
        """Names a test environment; production goes without saying on a list."""
        return "" if self.visit.endpoint.is_production else "TEST"

    @property
    def waiting_since(self) -> datetime | None:
        """Since when somebody has been in the lobby, to count on."""
        return self.row.attendance.waiting_since

    @property
    def facts(self) -> list[dict[str, object]]:
        """The numbers by which others know it, to be copied."""
        numbers = [
            ("Reference number", self.visit.reference),
            ("Conference id", self.visit.conference_id or ""),
        ]
        return [{"label": label, "value": value, "copy": True} for label, value in numbers if value]

    @property
    def told_note(self) -> str:
        """What is the matter with telling Epic, or that all is well."""
        if self.row.epic_stopped:
            return f"accepted, {self.row.epic_stopped} to decide"
        if self.row.epic_held:
            return f"accepted, {self.row.epic_held} not sendable"
        waiting = self.row.epic_on_the_way
        return f"accepted, {waiting} on the way" if waiting else "accepted"

    @property
    def told_tone(self) -> str:
        """The tone of :attr:`told_note`."""
        return "bad" if self.row.epic_stopped or self.row.epic_held else ""

    @property
    def texts_note(self) -> str:
        """How many texts did not arrive, if any."""
        return f"delivered, {self.row.texts_failed} not" if self.row.texts_failed else "delivered"

    @property
    def texts_tone(self) -> str:
        """The tone of :attr:`texts_note`."""
        return "bad" if self.row.texts_failed else ""

    @property
    def _status(self) -> tuple[str, str]:
        attendance = self.row.attendance
        if not self.visit.is_scheduled:
            return str(self.visit.get_state_display()), "neutral"
        if attendance.waiting_since is not None:
            return f"Patient in lobby {minutes(self.now - attendance.waiting_since)}", "warn"
        if attendance.present_now:
            return "In visit", "info"
        return self._finished or ("Scheduled", "neutral")

    @property
    def _finished(self) -> tuple[str, str] | None:
        attendance = self.row.attendance
        if attendance.has_met:
            return "Completed", "ok"
        if attendance.has_patient:
            return "Provider did not join", "bad"
        if attendance.has_provider:
            return "Patient did not join", "bad"
        return None


_ATTENTION = {
    "waiting": "Nobody has let the patient in",
    "text": "Text not delivered",
    "refused": "Epic was not told",
    "held": "Epic cannot be told: an id is missing",
    "meeting": "No Teams meeting",
}
