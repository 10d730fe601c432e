"""Replies that were not understood, and what to do about each, in words."""

from dataclasses import dataclass

from django.urls import reverse

from core.moments import written
from sms.models import InboundText
from sms.presenters import words

Meaning, Handling = InboundText.Meaning, InboundText.Handling

_ADVICE = {
    Meaning.UNCLEAR: "It holds a word such as stop. Ask the patient. Record an opt-out if that is what was meant:"
    " you have ten business days.",
    Meaning.OTHER: "Patients answer a reminder as if somebody read it: call back if the visit is still ahead.",
}
_TONES = {Meaning.UNCLEAR: "warn", Meaning.OTHER: "info"}


@dataclass(frozen=True)
class ReplyRow:
    """A reply that was not understood. Its words are kept nowhere."""

    reply: InboundText

    @property
    def meaning(self) -> str:
        """What it may mean, in a few words."""
        return self.reply.get_meaning_display()

    @property
    def tone(self) -> str:
        """The tone of :attr:`meaning`."""
        return _TONES[Meaning(self.reply.meaning)]

    @property
    def advice(self) -> str:
        """What to do."""
        return _ADVICE[Meaning(self.reply.meaning)]

    @property
    def number(self) -> str:
        """Our number that it came to."""
        return words.number(self.reply.number.number)

    @property
    def visit_url(self) -> str:
        """Where the visit of the phone is; '' when none is known any more."""
        return reverse("visits:detail", args=[self.reply.visit_id]) if self.reply.visit_id else ""

    @property
    def handle_url(self) -> str:
        """Where what was done about it is stored."""
        return reverse("messages:handle_reply", args=[self.reply.reference])

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        """What can be done about it: value, words, and words that say which reply is meant."""
        can_opt_out = self.reply.contact is not None and self.reply.contact.phone is not None
        acts = [(Handling.ANSWERED, "I asked the patient"), (Handling.NOTHING, "Nothing to do")]
        if can_opt_out:
            acts.insert(0, (Handling.OPT_OUT, "Record: no more texts"))
        received = written(self.reply.at, zone_name=self.reply.organization.time_zone)
        return [(value, label, f"{label}, reply of {received}") for value, label in acts]

    @property
    def handling(self) -> str:
        """What was done about it, and by whom."""
        return f"{self.reply.get_handling_display()} ({self.reply.handled_by})"
