"""The timeline in words: local times, and what may be done about a line."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.urls import reverse

from core.moments import in_utc
from reports.services.timeline import Moment
from visits.models import Visit

_ACTIONS = {"text_again": ("Text again", True), "decide": ("Decide", False)}


@dataclass(frozen=True)
class Reader:
    """What the person who looks at a timeline may see and do; by default nothing beyond the facts."""

    sees_endings: bool = False
    may_act: bool = False


@dataclass(frozen=True)
class TimelineEntry:
    """A line of the timeline as the component takes it."""

    moment: Moment
    visit: Visit
    reader: Reader
    shows_date: bool = False

    @property
    def time_text(self) -> str:
        """The local time to the second, with the date where it changes; ``next`` for what is to come."""
        if self.moment.at is None:
            return "next"
        local = self.moment.at.astimezone(ZoneInfo(self.visit.time_zone))
        has_date = self.shows_date or self.tone == "next"
        return f"{local:%b} {local.day} {local:%H:%M}" if has_date else f"{local:%H:%M:%S}"

    @property
    def iso(self) -> str:
        """The instant, for machines."""
        return self.moment.at.isoformat() if self.moment.at else ""

    @property
    def utc(self) -> str:
        """The instant in UTC, for the pointer."""
        return in_utc(self.moment.at) if self.moment.at else ""

    @property
    def tone(self) -> str:
        """The colour and shape of the dot."""
        return self.moment.tone

    @property
    def title(self) -> str:
        """What happened."""
        return self.moment.title

    @property
    def detail(self) -> str:
        """The rest of the sentence; digits of a number only for those who may see them."""
        ending = f"to number ending {self.moment.ending}" if self.moment.ending and self.reader.sees_endings else ""
        return ", ".join(part for part in (self.moment.detail, ending) if part)

    @property
    def outcome(self) -> str:
        """How it ended."""
        return self.moment.outcome

    @property
    def outcome_tone(self) -> str:
        """The tone of the outcome."""
        return self.moment.outcome_tone

    @property
    def action_label(self) -> str:
        """What may be done about it, '' when nothing."""
        return _ACTIONS[self.moment.action][0] if self.moment.action and self.reader.may_act else ""

    @property
    def action_post(self) -> bool:
        """Whether the action is a button that acts at once."""
        return _ACTIONS[self.moment.action][1] if self.moment.action else False

    @property
    def action_url(self) -> str:
        """Where the action is."""
        return reverse(f"visits:{self.moment.action}", args=[self.visit.pk, self.moment.row_id])


def entries(moments: Iterable[Moment], visit: Visit, reader: Reader = Reader()) -> list[TimelineEntry]:
    """Return the lines of a timeline in the visit's own time."""
    lines: list[TimelineEntry] = []
    zone, day = ZoneInfo(visit.time_zone), None
    for moment in moments:
        date = moment.at.astimezone(zone).date() if moment.at else day
        lines.append(TimelineEntry(moment, visit, reader, shows_date=date != day))
        day = date
    return lines
