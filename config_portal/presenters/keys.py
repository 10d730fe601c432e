"""The wording of the Keys page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config_portal.models import SigningKey
from config_portal.services.key_trials import Trial
from config_portal.services.keys import PURPOSE_NAMES
from config_portal.services.rotation import EPIC_KEEPS, KeySet
from core.moments import ago, written

# Until when Epic usually has new keys; 29 hours are the most its documentation allows.
EPIC_TAKES = timedelta(hours=24)

_TONES = {"published": "info", "active": "ok", "replaced": "neutral"}


@dataclass(frozen=True)
class KeyRow:
    """One key pair, its public half."""

    key: SigningKey
    now: datetime
    zone: str = ""

    @property
    def name(self) -> str:
        """What it is for."""
        return PURPOSE_NAMES[SigningKey.Purpose(self.key.purpose)]

    @property
    def tone(self) -> str:
        """The tone of its state."""
        return _TONES[self.key.state]

    @property
    def state(self) -> str:
        """Whether it is in use."""
        return {"published": "Published", "active": "In use", "replaced": "Replaced"}[self.key.state]

    @property
    def note(self) -> str:
        """Since when, and whether Epic has it."""
        if self.key.purpose == SigningKey.Purpose.NOTIFICATION:
            return "Given to Microsoft Graph with every subscription"
        created = written(self.key.created_at, style="date", zone_name=self.zone)
        if self.key.confirmed_at:
            return f"Epic accepted it {self._after()} after it was published on {created}"
        return f"Published on {created}; Epic has not used it yet"

    def _after(self) -> str:
        confirmed_at = self.key.confirmed_at
        return ago(self.key.created_at, now=confirmed_at) if confirmed_at else ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of a rotation; ``state`` is done, current or todo."""

    title: str
    text: str
    state: str


@dataclass(frozen=True)
class KeySetCard:
    """The keys of one environment and where their rotation stands; ``zone`` is the organization's."""

    keys: KeySet
    now: datetime
    is_authorized: bool
    zone: str = ""

    @property
    def environment(self) -> str:
        """Which environment, as in addresses."""
        return self.keys.environment

    @property
    def title(self) -> str:
        """Which environment, as it is read."""
        return "Production" if self.keys.environment == "production" else "Test"

    @property
    def rows(self) -> Sequence[KeyRow]:
        """Every key that is not retired."""
        return [KeyRow(key, self.now, self.zone) for key in self.keys.keys]

    @property
    def is_rotating(self) -> bool:
        """Whether new keys are published and wait."""
        return self.keys.published_at is not None

    @property
    def may_try(self) -> bool:
        """Whether it is worth asking Epic about the new keys: they wait, and Epic has not accepted them yet."""
        return self.is_rotating and not self.may_switch

    @property
    def may_switch(self) -> bool:
        """Whether the new keys can be used without being refused."""
        switch_at = self.keys.switch_at
        return self.is_rotating and (self.keys.is_known_to_epic or (switch_at is not None and switch_at <= self.now))

    @property
    def wait(self) -> str:
        """How long Epic may still take for keys that are in use and that it has not accepted yet; '' when it has."""
        active = self.keys.in_state(SigningKey.State.ACTIVE)
        unconfirmed = [key for key in active if key.confirmed_at is None and key.purpose != "notification"]
        if not unconfirmed:
            return ""
        until = max(key.created_at for key in unconfirmed) + EPIC_TAKES
        if until <= self.now:
            return "Epic has had a day. Run the pre-flight check: it says whether Epic accepts the keys."
        day = written(until, style="day", zone_name=self.zone)
        return f"Epic may take until {day} to fetch them; until then it refuses to sign in."

    @property
    def stages(self) -> list[Stage]:
        """The four steps of a rotation, while one is under way."""
        if not (self.is_rotating or self.keys.in_state(SigningKey.State.REPLACED)):
            return []
        published_at, switch_at, retire_at = self.keys.published_at, self.keys.switch_at, self.keys.retire_at
        if published_at is None:
            retired = (
                f"Old keys are withdrawn on {written(retire_at, style='day', zone_name=self.zone)}" if retire_at else ""
            )
            return [
                Stage(title="Published", text="", state="done"),
                Stage(title="Fetched by Epic", text="", state="done"),
                Stage(title="Switched", text="The new keys are in use", state="done"),
                Stage(title="Retire", text=retired, state="current"),
            ]
        hours = int(EPIC_KEEPS.total_seconds() // 3600)
        until = f"Until {written(switch_at, style='day', zone_name=self.zone)} at the latest" if switch_at else ""
        known = "Epic has accepted the new keys" if self.keys.is_known_to_epic else f"{until}: Epic keeps {hours} h"
        return [
            Stage(title="Published", text=written(published_at, style="day", zone_name=self.zone), state="done"),
            Stage(title="Fetched by Epic", text=known, state="done" if self.may_switch else "current"),
            Stage(title="Switch", text="By itself, within a minute", state="current" if self.may_switch else "todo"),
            Stage(title="Retire", text="A day after the switch", state="todo"),
        ]


def trial_words(trial: Trial) -> str:
    """Say what one Epic said to the new keys."""
    name = trial.endpoint.name
    if trial.problem:
        return f"{name}: the new keys could not be tried. {trial.problem}"
    if trial.is_accepted:
        return f"{name}: Epic accepts the new keys."
    refused = " and ".join(trial.refused)
    return f"{name}: Epic does not accept the new key for {refused} yet. Nothing changed; try again later."
