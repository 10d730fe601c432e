"""The overview of the SMS setup: consents, connections and languages in words."""

from dataclasses import dataclass

from django.urls import reverse

from config_portal.models import FhirEndpoint
from sms.models import SmsConfiguration
from sms.presenters import words
from sms.services import templates
from sms.services.consents import ConsentState
from sms.services.planning import approved_choices_of

_KINDS = {"confirms_scheduled": "booked", "confirms_moved": "moved", "confirms_cancelled": "cancelled"}


@dataclass(frozen=True)
class ConsentRow:
    """One of the two consents."""

    state: ConsentState

    @property
    def kind(self) -> str:
        """Its name in addresses."""
        return self.state.kind

    @property
    def wording(self) -> str:
        """The sentence."""
        return self.state.wording

    @property
    def is_given(self) -> bool:
        """Whether it is in force."""
        return self.state.current is not None

    @property
    def withdraw_url(self) -> str:
        """Where it is taken back."""
        return reverse("sms_setup:withdraw", args=[self.state.kind])


@dataclass(frozen=True)
class ConnectionRow:
    """An Epic connection and its texts."""

    endpoint: FhirEndpoint
    draft: SmsConfiguration | None
    needs_approval: bool

    @property
    def environment_tone(self) -> str:
        """The colour that goes with the environment's written name."""
        return "bad" if self.endpoint.is_production else "warn"

    @property
    def url(self) -> str:
        """Where its SMS setup is."""
        return reverse("sms_setup:endpoint", args=[self.endpoint.pk])

    @property
    def number(self) -> str:
        """The number it texts from."""
        return words.number(self.draft.number.number) if self.draft and self.draft.number else "No number"

    @property
    def summary(self) -> str:
        """What is texted, in one line."""
        return summary_of(self.draft) if self.draft else "Nothing chosen yet"

    @property
    def status(self) -> str:
        """Where its texts stand, in a few words."""
        return self._status[0]

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return self._status[1]

    @property
    def _status(self) -> tuple[str, str]:
        is_running = bool(approved_choices_of(self.endpoint))
        if self.draft is None or (self.draft.number is None and not is_running):
            return "Not set up", "neutral"
        if self.draft.is_paused:
            return "Paused", "warn"
        if self.needs_approval:
            return ("Changes not approved", "warn") if is_running else ("Waits for approval", "info")
        if self.draft.released_percent < 100:  # noqa: PLR2004 - all
            return f"Sending to {self.draft.released_percent}% of visits", "info"
        return "Sending", "ok"


@dataclass(frozen=True)
class LanguageRow:
    """A language in which texts can go out."""

    code: str
    own_kinds: int

    @property
    def name(self) -> str:
        """What it is called."""
        return templates.language_name(self.code)

    @property
    def url(self) -> str:
        """Where its words are."""
        return reverse("sms_setup:words", args=[self.code])

    @property
    def state(self) -> str:
        """Whose words they are."""
        if self.code in templates.BUILT_IN:
            return f"{self.own_kinds} of 4 texts in your words" if self.own_kinds else "Our words"
        missing = len(templates.KINDS) - self.own_kinds
        return "All 4 texts in your words" if not missing else f"{missing} of 4 texts missing: English is sent instead"


def summary_of(draft: SmsConfiguration) -> str:
    """Return what is texted: ``Confirmations when booked and moved · reminders 1 day and 2 hours before``."""
    kinds = [word for name, word in _KINDS.items() if getattr(draft, name)]
    confirmations = f"Confirmations when {words.listed(kinds)}" if kinds else "No confirmations"
    before = [words.interval(minutes) for minutes in sorted(draft.reminder_minutes, reverse=True)]
    reminders = f"reminders {words.listed(before)} before" if before else "no reminders"
    return f"{confirmations} · {reminders}"
