"""Finished texts as bubbles, with what they cost."""

from dataclasses import dataclass

from sms.models import SmsMessage
from sms.segments import UCS_2
from sms.services import templates
from sms.services.previews import Preview

TITLES = {
    SmsMessage.Kind.SCHEDULED: "Booked",
    SmsMessage.Kind.MOVED: "Moved",
    SmsMessage.Kind.CANCELLED: "Cancelled",
    SmsMessage.Kind.REMINDER: "Reminder",
}


@dataclass(frozen=True)
class PreviewCard:
    """One finished text."""

    preview: Preview
    title: str = ""

    @property
    def heading(self) -> str:
        """What the text is about."""
        return self.title or TITLES[SmsMessage.Kind(self.preview.kind)]

    @property
    def text(self) -> str:
        """The words."""
        return self.preview.text

    @property
    def cost(self) -> str:
        """How many segments, in which alphabet, and how much room is left."""
        length = self.preview.length
        segments = "1 segment" if length.segments == 1 else f"{length.segments} segments"
        return f"{segments} · {length.encoding} · {length.size} characters, {length.room} left"

    @property
    def tone(self) -> str:
        """The tone of :attr:`cost`."""
        if not self.preview.is_good:
            return "bad"
        return "warn" if self.preview.length.encoding == UCS_2 else "neutral"


@dataclass(frozen=True)
class PreviewColumn:
    """All texts in one language."""

    code: str
    previews: list[Preview]

    @property
    def name(self) -> str:
        """What the language is called."""
        return templates.language_name(self.code)

    @property
    def cards(self) -> list[PreviewCard]:
        """The texts."""
        return [PreviewCard(preview) for preview in self.previews]
