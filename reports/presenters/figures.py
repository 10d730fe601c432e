"""The figures above a visit's timeline, each with what it can be held against."""

from dataclasses import dataclass
from datetime import timedelta

from core.moments import written
from launch.models import DeviceTest
from reports.presenters.visit import VisitPresenter
from reports.presenters.words import DASH, span

Figure = tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Label, value, note and tone of each figure.

    :param median_wait: the median lobby wait of that day's visits; ``test`` is the newest device test.
    """

    visit: VisitPresenter
    median_wait: timedelta | None
    test: DeviceTest | None

    @property
    def all(self) -> list[Figure]:
        """The figures in the order in which they are shown."""
        visit = self.visit
        return [
            ("Lobby wait", visit.lobby_wait, self._wait_note, ""),
            ("Texts", visit.texts, visit.texts_note, visit.texts_tone),
            self._device_test,
            ("Told to Epic", visit.told, visit.told_note, visit.told_tone),
        ]

    @property
    def _wait_note(self) -> str:
        return "minutes and seconds" if self.median_wait is None else f"median of the day {span(self.median_wait)}"

    @property
    def _device_test(self) -> Figure:
        if self.test is None:
            return "Device test", DASH, "not made", ""
        made = written(self.test.created_at, style="day", zone_name=self.visit.zone)
        troubles = self.test.troubles
        if troubles:
            return "Device test", "Needs a look", f"{', '.join(troubles)}; {made}", "warn"
        return "Device test", "Passed", f"{made}, {self.test.made_with}", ""
