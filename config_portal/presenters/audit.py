"""How the audit trail reads."""

import re
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from core.models import AuditEvent, AuditVerification

# What a person would say; other actions are written as they are named, "keys.created" as "Keys created".
_WORDS = {
    "approval.asked": "Asked for approval",
    "approval.epic_sign_in": "Signed in to Epic",
    "approval.refused": "Approval refused",
    "approval.sent_back": "Sent the configuration back",
    "approval.withdrawn": "Approval taken back",
    "approver.bound": "Approver confirmed by Microsoft",
    "configuration.approved": "Approved the configuration",
    "configuration.restored": "Put an earlier version into the draft",
    "request.refused": "A request was refused",
    "staff.signed_in": "Signed in",
    "staff.confirmed": "Confirmed by Microsoft",
    "staff.access_ended": "Access ended",
}
_SUBJECTS = {"config_portal.fhirendpoint": "FHIR base URL"}
_ACRONYM = re.compile(r"\b(api|fhir|hl7|jwks|sms|url)\b")
_CODES = re.compile(r"[0-9a-f-]{32,}(, [0-9a-f-]{32,})*")  # digests, ids and fingerprints
_NOTHING = "(nothing)"


@dataclass(frozen=True)
class Change:
    """One thing that an event changed."""

    what: str
    was: str
    now: str


@dataclass(frozen=True)
class AuditRow:
    """An audit event as a row of a table."""

    event: AuditEvent
    zone: str

    @property
    def what(self) -> str:
        """What happened, in words."""
        words = _spaced(self.event.action)
        return _WORDS.get(self.event.action) or words[:1].upper() + words[1:]

    @property
    def subject(self) -> str:
        """What it happened to."""
        label = self.event.subject_type
        if label in _SUBJECTS:
            return _SUBJECTS[label]
        try:
            return _spaced(str(apps.get_model(label)._meta.verbose_name))
        except (LookupError, ValueError):  # a kind of thing that this version no longer has
            return _spaced(label.rpartition(".")[2])

    @property
    def changes(self) -> list[Change]:
        """Before and after, for events that changed something."""
        listed = self._data.get("changes")
        listed = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        named = [{"what": _spaced(name), **value} for name, value in self._data.items() if _is_change(value)]
        return [
            Change(str(item.get("what", "")), in_words(item.get("was")), in_words(item.get("now")))
            for item in [*listed, *named]
        ]

    @property
    def details(self) -> list[tuple[str, str, bool]]:
        """Everything else the event says: name, value, and whether it is a code that nobody reads as a word."""
        others = {name: value for name, value in self._data.items() if name != "changes" and not _is_change(value)}
        named = [(_spaced(name), in_words(value)) for name, value in others.items()]
        return [(name, value, _CODES.fullmatch(value) is not None) for name, value in named]

    @property
    def _data(self) -> dict[str, Any]:
        return self.event.data if isinstance(self.event.data, dict) else {}


def _is_change(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"was", "now"}


def _spaced(name: str) -> str:
    """Return a name of ours as words, ``sms_consent.given`` as ``SMS consent given``."""
    return _ACRONYM.sub(lambda found: found[0].upper(), name.replace(".", " ").replace("_", " "))


@dataclass(frozen=True)
class ChainPresenter:
    """Whether the trail is as it was written."""

    verification: AuditVerification | None

    @property
    def tone(self) -> str:
        """The colour that goes with :attr:`title`."""
        if self.verification is None:
            return "info"
        return "ok" if self.verification.broken_at is None else "bad"

    @property
    def title(self) -> str:
        """The finding in a sentence."""
        if self.verification is None:
            return "This chain has not been verified yet"
        if self.verification.broken_at is not None:
            return f"Event {self.verification.broken_at} does not hold: it or the one before it was changed or removed"
        return f"Chain verified: {self.verification.checked:,} events are as they were written"


def in_words(value: Any) -> str:
    """Return a JSON value as people read it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(item) for item in value) or _NOTHING
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {in_words(item)}" for name, item in value.items()) or _NOTHING
    return _NOTHING if value in {None, ""} else str(value)
