"""Meeting options: the defaults of a new meeting, and what a PATCH may set them to."""

from typing import Any

from sandbox.graph.errors import GraphError, bad_request
from sandbox.graph.wire import LATE_SCOPES

_LOBBY_SCOPES = frozenset({"organizer", "organization", "organizationAndFederated", "everyone"}) | LATE_SCOPES
_ENUMS: dict[str, frozenset[str]] = {
    "allowedPresenters": frozenset({"everyone", "organization", "roleIsPresenter", "organizer"}),
    "allowedLobbyAdmitters": frozenset({"organizerAndCoOrganizersAndPresenters", "organizerAndCoOrganizers"}),
    "allowMeetingChat": frozenset({"enabled", "disabled", "limited"}),
    "shareMeetingChatHistoryDefault": frozenset({"all", "none"}),
}
_SWITCHES = frozenset(
    {
        "allowAttendeeToEnableCamera",
        "allowAttendeeToEnableMic",
        "allowBreakoutRooms",
        "allowRecording",
        "allowTeamworkReactions",
        "allowTranscription",
        "isEntryExitAnnounced",
        "recordAutomatically",
    }
)
NAMES = frozenset(_ENUMS) | _SWITCHES | {"lobbyBypassSettings"}


def defaults() -> dict[str, Any]:
    """Return the options of a new meeting: Microsoft's, which let everyone present and admit."""
    return {
        "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": False},
        "allowedPresenters": "everyone",
        "allowedLobbyAdmitters": "organizerAndCoOrganizersAndPresenters",
        "allowMeetingChat": "enabled",
        "shareMeetingChatHistoryDefault": "none",
        "allowAttendeeToEnableCamera": True,
        "allowAttendeeToEnableMic": True,
        "allowBreakoutRooms": True,
        "allowRecording": True,
        "allowTeamworkReactions": True,
        "allowTranscription": True,
        "isEntryExitAnnounced": False,
        "recordAutomatically": False,
        "attendees": [],
    }


def changed(options: dict[str, Any], body: dict[str, Any], *, may_use_late_members: bool) -> dict[str, Any]:
    """Return ``options`` with the options in ``body`` set; other properties of ``body`` are left alone.

    :param may_use_late_members: the request said ``Prefer: include-unknown-enum-members``.
    :raises GraphError: 400 for a value that the option does not have.
    """
    result = dict(options)
    for name in body.keys() & NAMES:
        if name == "lobbyBypassSettings":
            result[name] = _lobby(options[name], body[name], may_use_late_members=may_use_late_members)
        else:
            _check(name, body[name])
            result[name] = body[name]
    return result


def attendees(participants: object) -> list[dict[str, Any]]:
    """Return the attendees in the ``participants`` property of a request.

    :raises GraphError: 400 when it is not shaped like participants.
    """
    found = participants.get("attendees", []) if isinstance(participants, dict) else None
    if not isinstance(found, list) or not all(isinstance(attendee, dict) for attendee in found):
        raise bad_request("Invalid value for 'participants'.")
    return found


def _lobby(current: dict[str, Any], wanted: object, *, may_use_late_members: bool) -> dict[str, Any]:
    if not isinstance(wanted, dict) or wanted.keys() - {"scope", "isDialInBypassEnabled", "@odata.type"}:
        raise bad_request("Invalid value for 'lobbyBypassSettings'.")
    scope = wanted.get("scope", current["scope"])
    if scope not in _LOBBY_SCOPES:
        raise bad_request(f"Invalid value '{scope}' for 'lobbyBypassSettings.scope'.")
    if "scope" in wanted and scope in LATE_SCOPES and not may_use_late_members:
        message = f"'{scope}' needs the request header 'Prefer: include-unknown-enum-members'."
        raise GraphError(400, "InvalidArgument", message)
    is_dial_in = wanted.get("isDialInBypassEnabled", current["isDialInBypassEnabled"])
    if not isinstance(is_dial_in, bool):
        raise bad_request("Invalid value for 'lobbyBypassSettings.isDialInBypassEnabled'.")
    return {"scope": scope, "isDialInBypassEnabled": is_dial_in}


def _check(name: str, value: object) -> None:
    is_known = value in _ENUMS[name] if name in _ENUMS and isinstance(value, str) else False
    is_switch = name in _SWITCHES and isinstance(value, bool)
    if not (is_known or is_switch):
        raise bad_request(f"Invalid value '{value}' for '{name}'.")
