"""The device test in the words of the person who takes it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.errors import ConnectorError
from launch.models import DeviceTest, LaunchAttempt
from launch.services import joining

_TITLES = {
    "connection": _("Internet connection"),
    "camera": _("Camera"),
    "microphone": _("Microphone"),
    "speaker": _("Sound"),
    "call": _("Test call"),
}
_ICONS = {"connection": "wifi", "camera": "video", "microphone": "microphone", "speaker": "speaker", "call": "phone"}


@dataclass(frozen=True)
class CheckRow:
    """One check in the list at the end."""

    name: str
    is_known: bool

    @property
    def title(self) -> str:
        """What is checked."""
        return str(_TITLES[self.name])

    @property
    def icon(self) -> str:
        """Its sign."""
        return _ICONS[self.name]


@dataclass(frozen=True)
class DeviceTestPresenter:
    """The device test of one person in one browser."""

    attempt: LaunchAttempt
    family: tuple[str, str]
    earlier: DeviceTest | None
    now: datetime

    @property
    def checks(self) -> list[CheckRow]:
        """All checks in the order in which they are made; what worked lately in this browser is not asked again."""
        known = set(self._known)
        return [CheckRow(name, is_known=name in known) for name in DeviceTest.CHECKS]

    @property
    def known(self) -> str:
        """The names of the checks that need not be made, for the page's script."""
        return " ".join(self._known)

    @property
    def help(self) -> str:
        """Which help is about this browser: the template has one for each."""
        browser, platform = self.family
        if browser == "app":
            return "app"
        if platform in {"ios", "android"}:
            return platform
        return "safari" if browser == "safari" else "firefox" if browser == "firefox" else "desktop"

    @property
    def is_open(self) -> bool:
        """Whether the visit can be joined now, so that the last page leads there."""
        try:
            joining.check_way_in(self.attempt, now=self.now)
        except ConnectorError:
            return False
        return True

    @property
    def _known(self) -> list[str]:
        """Camera, microphone and sound stay as they are; connection and call are measured each time."""
        earlier = self.earlier
        if earlier is None or (earlier.browser, earlier.platform) != self.family:
            return []
        return [name for name in ("camera", "microphone", "speaker") if earlier.results[name] == "passed"]
