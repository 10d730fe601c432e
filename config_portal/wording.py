"""A configuration in words, and the difference between two of them: what was, what is now.

Every value of a snapshot has a line. What nobody gave a name is named after its key, so that a value added
later can be missing a nice name but never its line.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config_portal import snapshot
from config_portal.models import Environment, FhirEndpoint, LobbyScope, MeetingChat, OrganizerMode, Presenters

NOT_SET = "Not set"
_OWN_TITLES = {
    "organization": "Organization",
    "endpoint": "Epic connection",
    "smart": "Sign-in service of Epic",
    "teams": "Microsoft Teams",
}
_LABELS: dict[str, dict[str, str]] = {
    "organization": {
        "name": "Name that patients see",
        "country": "Country of local numbers",
        "time_zone": "Time zone",
        "help_phone": "Phone number for help",
    },
    "endpoint": {
        "environment": "Environment",
        "base_url": "FHIR base URL",
        "launch_id": "Launch id",
        "provider_client_id": "Client id of the provider app",
        "patient_client_id": "Client id of the patient app",
        "backend_client_id": "Client id of the backend app",
        "time_zone": "Time zone of Epic's local times",
        "visit_types": "Visit types that are virtual",
        "departments": "Departments that are virtual",
        "frame_ancestors": "Sites of Epic and MyChart that may frame our pages",
        "connection_status": "How Epic is told who connected",
        "join_opens_minutes": "Patients may join before the start",
        "join_closes_minutes": "Patients may join after the end",
        "assertion_algorithm": "How the connector signs",
        "authorize_method": "How a launch goes on to Epic's sign-in",
        "approver_username": "Approver",
        "approver_object_id": "Approver's Microsoft object id",
        "approver_tenant_id": "Approver's Microsoft tenant id",
    },
    "smart": {
        "issuer": "Issuer",
        "authorization_endpoint": "Sign-in address",
        "token_endpoint": "Token address",
        "jwks_uri": "Key set address",
    },
    "teams": {
        "tenant_id": "Microsoft tenant id",
        "client_id": "Application id",
        "organizer_mode": "Who organizes the meetings",
        "organizer_object_id": "Object id of the organizing account",
        "lobby_scope": "Who passes the lobby",
        "allowed_presenters": "Who may present and admit",
        "meeting_chat": "Meeting chat",
    },
}
_ENVIRONMENTS = {str(value): str(label) for value, label in Environment.choices}
_CHOICES: dict[str, dict[str, str]] = {
    key: {str(value): str(label) for value, label in choices.choices}
    for key, choices in {
        "environment": Environment,
        "organizer_mode": OrganizerMode,
        "lobby_scope": LobbyScope,
        "allowed_presenters": Presenters,
        "meeting_chat": MeetingChat,
        "assertion_algorithm": FhirEndpoint.AssertionAlgorithm,
        "authorize_method": FhirEndpoint.AuthorizeMethod,
    }.items()
}
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_MINUTES_IN = ((24 * 60, "day"), (60, "hour"))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value of a configuration.

    :param key: the path of the value in the snapshot, such as ``endpoint.base_url``.
    """

    key: str
    section: str
    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of a value; ``is_changed`` when the other value does not have it there."""

    text: str
    is_changed: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that is not what it was."""

    key: str
    section: str
    label: str
    was: str
    now: str

    @property
    def was_segments(self) -> list[Segment]:
        """What was, with the words that are gone marked."""
        return segments(self.was, self.now)

    @property
    def now_segments(self) -> list[Segment]:
        """What is now, with the words that are new marked."""
        return segments(self.now, self.was)


def lines(content: Mapping[str, Any]) -> list[Line]:
    """Return every value of a snapshot in words, section by section."""
    parts = snapshot.parts()
    order = [*_OWN_TITLES, *(name for name in sorted(content) if name not in _OWN_TITLES)]
    found: list[Line] = []
    for name in order:
        part = parts.get(name)
        title = _OWN_TITLES.get(name) or (part.title if part else "") or _from_key(name)
        labels = _LABELS.get(name) or (part.labels if part else {})
        for path, value in _leaves(_in_order(content.get(name, {}), labels)):
            found.append(
                Line(
                    key=".".join((name, *path)),
                    section=title,
                    label=_label(path, labels),
                    value=_value(path[-1] if path else "", value),
                )
            )
    return found


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two snapshots; everything is new when there is no earlier one."""
    was = {line.key: line for line in lines(before or {})}
    now = {line.key: line for line in lines(after)}
    found = []
    for key in dict.fromkeys([*now, *was]):
        old, new = was.get(key), now.get(key)
        shown = new or old
        assert shown is not None  # noqa: S101 - the key came from one of them
        old_value, new_value = (old.value if old else NOT_SET), (new.value if new else NOT_SET)
        if old_value != new_value:
            found.append(Difference(key=key, section=shown.section, label=shown.label, was=old_value, now=new_value))
    return found


def summary(endpoint: FhirEndpoint, content: Mapping[str, Any]) -> list[str]:
    """Return in a few sentences what an approval would let run."""
    connection = content.get("endpoint", {})
    environment = _ENVIRONMENTS.get(str(connection.get("environment")), "An").lower()
    who = "Real patients are" if environment == "production" else "No real patients are"
    where = f"{endpoint.organization.name} holds virtual visits from its {environment} Epic"
    sentences = [
        f"{where} at {connection.get('base_url', '')}. {who} behind it.",
        _teams_sentence(content.get("teams") or {}),
    ]
    told = [part for part in snapshot.parts().values() if part.sentence is not None]
    sentences += [part.sentence(content.get(part.name) or {}) for part in told if part.sentence]
    return [sentence for sentence in sentences if sentence]


def _teams_sentence(teams: Mapping[str, Any]) -> str:
    if not teams:
        return "Microsoft Teams is not set up yet, so no meeting can be held."
    return f"Meetings are held in Microsoft Teams, tenant {teams.get('tenant_id', '')}."


def _in_order(values: Any, labels: Mapping[str, str]) -> Any:
    """Return what has a label first, in the order of the labels: the database keeps none."""
    if not isinstance(values, Mapping):
        return values
    known = {key: values[key] for key in labels if key in values}
    return {**known, **values}


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    elif path:
        yield path, value


def _label(path: Sequence[str], labels: Mapping[str, str]) -> str:
    first = labels.get(path[0]) or _from_key(path[0])
    return " · ".join([first, *(_from_key(name) for name in path[1:])])


def _from_key(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if value is None or value in ("", [], {}):
        return NOT_SET
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(key, item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{_from_key(str(name))}: {_value(str(name), inner)}" for name, inner in value.items())
    return _scalar(key, value)


def _scalar(key: str, value: Any) -> str:
    if key in _CHOICES:
        return _CHOICES[key].get(str(value), str(value))
    return duration(value) if key.endswith("_minutes") else str(value)


def duration(minutes: Any) -> str:
    """Return minutes as people say them: ``1 day``, ``2 hours``, ``90 minutes``."""
    if not isinstance(minutes, int):
        return str(minutes)
    for size, unit in _MINUTES_IN:
        if minutes >= size and minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def segments(text: str, other: str) -> list[Segment]:
    """Split ``text`` where it stops or begins to be like ``other``, at the borders of words."""
    if NOT_SET in (text, other):
        return [Segment(text=text, is_changed=text != NOT_SET)]
    words, others = _WORD.findall(text), _WORD.findall(other)
    blocks = difflib.SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks()
    found, position = [], 0
    for block in blocks:
        found.append(Segment(text="".join(words[position : block.a]), is_changed=True))
        found.append(Segment(text="".join(words[block.a : block.a + block.size]), is_changed=False))
        position = block.a + block.size
    return [segment for segment in found if segment.text]
