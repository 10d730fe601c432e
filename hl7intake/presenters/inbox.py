"""The head of the message pages: tabs, figures and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from hl7intake.models import InboundMessage
from hl7intake.presenters.certificates import ago_words
from hl7intake.presenters.messages import MessageRow
from hl7intake.services.health import SenderHealth

_TABS = (("inbox", "Messages"), ("senders", "Senders"), ("check", "Check a message"))


def section_tabs(current: str) -> list[tuple[str, str, bool]]:
    """Return the tabs of the HL7 pages."""
    return [(label, reverse(f"hl7:{name}"), name == current) for name, label in _TABS]


@dataclass(frozen=True, kw_only=True)
class InboxPage:
    """The figures over the list, and its rows."""

    healths: Sequence[SenderHealth]
    zone: str
    shown: Sequence[InboundMessage]
    now: datetime

    @property
    def rows(self) -> list[MessageRow]:
        """The messages of this page."""
        return [MessageRow(message=one, zone=self.zone) for one in self.shown]

    @property
    def last_day(self) -> str:
        """How many messages came in the last 24 hours."""
        return f"{sum(health.last_day for health in self.healths):,}"

    @property
    def last_message(self) -> str:
        """How long ago the last one came."""
        heard = [health.last_at for health in self.healths if health.last_at]
        return f"last one {ago_words(max(heard), now=self.now)}" if heard else "none has ever come"

    @property
    def refused(self) -> str:
        """How many of them were refused."""
        return f"{sum(health.refused_last_day for health in self.healths):,}"

    @property
    def refused_note(self) -> str:
        """Their share."""
        day = sum(health.last_day for health in self.healths)
        share = sum(health.refused_last_day for health in self.healths) / day if day else 0
        return f"{share:.1%} of the last 24 hours"

    @property
    def refused_tone(self) -> str:
        """Whether that is worth a look."""
        return "warn" if any(health.refused_last_day for health in self.healths) else ""

    @property
    def waiting(self) -> str:
        """How many are acknowledged and have not taken effect yet."""
        return f"{sum(health.waiting for health in self.healths):,}"

    @property
    def waiting_note(self) -> str:
        """Since when the oldest of them waits."""
        since = min((health.waiting_since for health in self.healths if health.waiting_since), default=None)
        return f"the oldest came {ago_words(since, now=self.now)}" if since else "to take effect"

    @property
    def quarantined(self) -> str:
        """How many were set aside."""
        return f"{self._quarantined:,}"

    @property
    def quarantined_tone(self) -> str:
        """Whether somebody has to act."""
        return "bad" if self._quarantined else ""

    @property
    def rejected_url(self) -> str:
        """The refused messages."""
        return f"{reverse('hl7:inbox')}?outcome=rejected"

    @property
    def quarantined_url(self) -> str:
        """The messages that were set aside."""
        return f"{reverse('hl7:inbox')}?outcome=quarantined"

    @property
    def silent(self) -> list[str]:
        """A sentence for each sender that should have been heard of."""
        return [
            f"{health.endpoint.name}: the last message came {ago_words(health.last_at, now=self.now)}."
            for health in self.healths
            if health.last_at and health.is_silent(now=self.now)
        ]

    @property
    def _quarantined(self) -> int:
        return sum(health.quarantined for health in self.healths)
