"""The board of one day in words: the days around it, the filters and the rows they leave."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from config_portal.models import Organization
from reports.presenters.visit import VisitPresenter
from reports.services.attention import Stage
from reports.services.board import VisitRow

_FILTERS = {
    "": "All",
    "attention": "Needs attention",
    Stage.WAITING: "Waiting",
    Stage.IN_VISIT: "In visit",
    Stage.SCHEDULED: "Scheduled",
    Stage.DONE: "Done",
}


@dataclass(frozen=True, kw_only=True)
class Board:
    """The visits of one day.

    :param chosen: a stage, ``attention`` or '' for all; anything else counts as ''.
    """

    organization: Organization
    listed: list[VisitRow]
    day: date
    today: date
    chosen: str
    now: datetime

    @cached_property
    def everything(self) -> list[VisitPresenter]:
        """Every visit of the day."""
        return [VisitPresenter(row, self.now) for row in self.listed]

    @property
    def filter(self) -> str:
        """The filter that applies."""
        return self.chosen if self.chosen in _FILTERS else ""

    @property
    def rows(self) -> list[VisitPresenter]:
        """The visits that the filter leaves, earliest first."""
        return [visit for visit in self.everything if _belongs(visit, self.filter)]

    @property
    def filters(self) -> list[tuple[str, str, bool]]:
        """The filters with how many visits each leaves, as tabs."""
        return [
            (f"{label} {sum(_belongs(visit, name) for visit in self.everything)}", self._url(name), name == self.filter)
            for name, label in _FILTERS.items()
        ]

    @property
    def url(self) -> str:
        """This very page, for its refresh."""
        return self._url(self.filter)

    @property
    def heading(self) -> str:
        """Names the day."""
        return "Visits today" if self.day == self.today else f"Visits on {self.day:%B} {self.day.day}"

    @property
    def lead(self) -> str:
        """The day in full, and the zone it is a day of."""
        return f"{self.day:%A}, {self.day:%B} {self.day.day} · {self.organization.time_zone}"

    @property
    def days(self) -> list[tuple[str, str]]:
        """The day before, today and the day after, with their addresses."""
        before, after = self.day - timedelta(days=1), self.day + timedelta(days=1)
        links = [("Day before", f"?day={before}"), ("Day after", f"?day={after}")]
        return links if self.day == self.today else [links[0], ("Today", "?"), links[1]]

    @property
    def empty_title(self) -> str:
        """What to say instead of an empty table."""
        return "No visits here" if self.listed else "No visits on this day"

    @property
    def empty_text(self) -> str:
        """What comes next."""
        if self.listed:
            return "Other visits of the day are under the other filters."
        return "A visit appears here when Epic sends its appointment, or when somebody launches it."

    def _url(self, name: str) -> str:
        chosen = {"show": name} if name else {}
        day = {} if self.day == self.today else {"day": self.day.isoformat()}
        return f"?{urlencode(day | chosen)}"


def _belongs(visit: VisitPresenter, name: str) -> bool:
    if name == "attention":
        return bool(visit.attention)
    return not name or visit.stage == name
