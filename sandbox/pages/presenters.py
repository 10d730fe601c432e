"""What the twin's pages show, in words: visits, faults, ledger entries."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.faults import Choice
from sandbox.hl7.compose import ZONE
from sandbox.models import Appointment, LedgerEntry
from sandbox.people import PATIENTS, PROVIDERS

Tag = tuple[str, str]  # tone and words

_STATES = {"scheduled": "neutral", "cancelled": "bad", "no_show": "warn"}
_ACKS = {"AA": "ok", "CA": "ok", "AE": "warn", "CE": "warn", "AR": "bad", "CR": "bad"}
_KINDS = {"1": "Patient", "2": "Provider"}
_SYSTEMS = {
    "acs": "Azure Communication Services", "entra": "Microsoft Entra", "epic": "Epic", "graph": "Microsoft Graph",
    "hl7": "Epic, HL7 messages", "twilio": "Twilio",
}  # fmt: skip


@dataclass(frozen=True)
class AppointmentRow:
    """One visit of the schedule."""

    appointment: Appointment
    now: datetime

    @property
    def patient(self) -> str:
        """The invented patient's name, which stays inside the twin."""
        return PATIENTS[self.appointment.patient].name

    @property
    def provider(self) -> str:
        """The clinician's name."""
        return f"{PROVIDERS[self.appointment.provider].name}, MD"

    @property
    def day(self) -> str:
        """Today, tomorrow, or the date, where the hospital is."""
        day, today = self.appointment.starts_at.astimezone(ZONE).date(), self.now.astimezone(ZONE).date()
        words = {today: "Today", today + timedelta(days=1): "Tomorrow"}
        return words.get(day, f"{day:%a, %b} {day.day}")

    @property
    def environment(self) -> Tag:
        """The environment, with the word written."""
        name = self.appointment.environment
        return "bad" if name == "production" else "warn", name.upper()

    @property
    def state(self) -> Tag:
        """Where the visit stands."""
        return _STATES[self.appointment.state], str(self.appointment.get_state_display())

    @property
    def is_open(self) -> bool:
        """Whether it can be begun, moved or cancelled."""
        return self.appointment.state == Appointment.State.SCHEDULED

    @property
    def connections(self) -> list[Tag]:
        """What the connector told, one tag for each person."""
        return [
            ("ok" if status == "connected" else "neutral", f"{_KINDS.get(who.partition(':')[0], 'Person')} {status}")
            for who, status in self.appointment.connections.items()
        ]

    @property
    def message(self) -> Tag | None:
        """The newest HL7 message and how it was acknowledged."""
        newest = max(self.appointment.messages.all(), key=lambda message: message.created_at, default=None)
        if newest is None:
            return None
        code = newest.ack_code
        return _ACKS.get(code, "info"), f"{newest.trigger} {code}" if code else f"{newest.trigger} not acknowledged"


@dataclass(frozen=True)
class FaultRow:
    """A fault and the way in which it is switched on."""

    choice: Choice
    value: str

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Value, words and whether it is chosen."""
        values = ("", *self.choice.values)
        return [(value, _words(value) or "Off", value == self.value) for value in values]


def by_system(rows: list[FaultRow]) -> list[tuple[str, list[FaultRow]]]:
    """Group faults by the system that they are about, in the order of the list."""
    groups: dict[str, list[FaultRow]] = {}
    for row in rows:
        system = row.choice.name.partition(".")[0]
        groups.setdefault(_SYSTEMS.get(system, system), []).append(row)
    return list(groups.items())


@dataclass(frozen=True)
class LedgerRow:
    """One entry of the ledger."""

    entry: LedgerEntry

    @property
    def system(self) -> str:
        """The system's short name."""
        return short_name(self.entry.system)

    @property
    def kind(self) -> str:
        """What happened, in words."""
        return _words(self.entry.kind)

    @property
    def summary(self) -> str:
        """The data in one line, without what is empty."""
        return ", ".join(f"{name}: {value}" for name, value in self.entry.data.items() if value not in ("", None))

    @property
    def data(self) -> str:
        """The data in full; an HL7 message has a line for each segment."""
        return json.dumps(self.entry.data, ensure_ascii=False, indent=2).replace("\\r", "\n    ")


def short_name(system: str) -> str:
    """Return a system's name for a tab: Epic, HL7, ACS."""
    return system.upper() if system in {"acs", "hl7"} else system.capitalize()


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
