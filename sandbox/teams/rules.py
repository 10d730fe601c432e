"""Who waits in the lobby, who presents, who admits: Teams' meeting options at work."""

from sandbox.models import Attendant, Meeting

Role = Attendant.Role

# Scopes under which people with an account of the tenant walk straight in.
_TENANT_SCOPES = frozenset({"organization", "organizationAndFederated", "organizationExcludingGuests", "everyone"})


def role_of(meeting: Meeting, *, oid: str) -> Role:
    """Return what a person is to the meeting."""
    if not oid:
        return Role.EXTERNAL
    return Role.ORGANIZER if oid == meeting.organizer_oid else Role.TENANT


def bypasses_lobby(meeting: Meeting, *, oid: str, role: Role) -> bool:
    """Tell whether a person enters the call at once."""
    if role is Role.ORGANIZER:
        return True
    scope = meeting.options["lobbyBypassSettings"]["scope"]
    if role is Role.EXTERNAL:
        return bool(scope == "everyone")
    return scope in _TENANT_SCOPES or (scope == "invited" and _attendee(meeting, oid=oid) is not None)


def presents(meeting: Meeting, *, oid: str, role: Role) -> bool:
    """Tell whether a person in the call is a presenter. By default everybody is, patients included."""
    if role is Role.ORGANIZER or _is_coorganizer(meeting, oid=oid):
        return True
    allowed = meeting.options["allowedPresenters"]
    if allowed == "roleIsPresenter":
        attendee = _attendee(meeting, oid=oid)
        return attendee is not None and attendee.get("role") == "presenter"
    return allowed == "everyone" or (allowed == "organization" and role is Role.TENANT)


def may_admit(meeting: Meeting, *, oid: str, role: Role) -> bool:
    """Tell whether a person in the call sees the lobby."""
    if meeting.options["allowedLobbyAdmitters"] == "organizerAndCoOrganizers":
        return role is Role.ORGANIZER or _is_coorganizer(meeting, oid=oid)
    return presents(meeting, oid=oid, role=role)


def _is_coorganizer(meeting: Meeting, *, oid: str) -> bool:
    attendee = _attendee(meeting, oid=oid)
    return attendee is not None and attendee.get("role") == "coorganizer"


def _attendee(meeting: Meeting, *, oid: str) -> dict[str, object] | None:
    if not oid:
        return None
    for attendee in meeting.options.get("attendees", []):
        user = (attendee.get("identity") or {}).get("user") or {}
        if user.get("id") == oid:
            return dict(attendee)
    return None
