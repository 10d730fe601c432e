"""What a launch is about, from the context tokens of the integration record.

Source: Epic OAuth 2.0 specification: a token response may carry "additional fields based on the
integration configuration". A one-to-one record says ``sessionId=%CSN%&conferenceId=%CONFERENCEID%``,
a group record ``sessionId=%CONFERENCEID%&csn=%CSN%``. Copies of them in a launch address are not
read: a person can edit those.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import LaunchRefused

# A token may say after semicolons what Epic puts in for a missing value, as in %PERFDEPID;;;NONE;%.
_UNFILLED = re.compile(r"%[A-Za-z0-9_.]+(;[^%]*)?%")
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class LaunchContext:
    """The visit that a launch is for, and what else Epic said.

    :param session_id: the CSN; of a group visit its conference id.
    :param conference_id: what Epic knows the video visit by when it is told who connected; may be ''.
    :param csn: the person's own appointment within a group visit; '' for one-to-one visits.
    :param user_id: Epic's id of the user, '' when the record does not pass it.
    :param department_id: '' when the record does not pass it.
    :param is_device_test: whether MyChart opened the hardware test, not the visit.
    """

    session_id: str = field(repr=False)
    conference_id: str = field(default="", repr=False)
    csn: str = field(default="", repr=False)
    user_id: str = field(default="", repr=False)
    department_id: str = ""
    is_device_test: bool = False

    @property
    def is_group(self) -> bool:
        """Whether the session is a conference of several appointments."""
        return bool(self.csn) and self.csn != self.session_id


def read_context(fields: Mapping[str, str]) -> LaunchContext:
    """Return the launch context among the ``context`` of a :class:`epic.oauth.TokenResponse`.

    :raises LaunchRefused: ``launch.context_not_filled`` when Epic did not replace a token such as
        ``%CSN%``; ``launch.no_session`` without a session id; ``launch.context_invalid`` when a value
        is not an id.
    """
    session_id = _value(fields, "sessionId")
    if not session_id:
        raise LaunchRefused(
            "launch.no_session",
            "Epic did not say which visit this is. The integration record must pass sessionId.",
        )
    csn = _value(fields, "csn")
    conference_id = _value(fields, "conferenceId")
    if csn and not conference_id:
        conference_id = session_id  # a group record: its session *is* the conference
    return LaunchContext(
        session_id=session_id,
        conference_id=conference_id,
        csn=csn,
        user_id=_value(fields, "userId") or _value(fields, "epicUserId"),
        department_id=_value(fields, "departmentId"),
        is_device_test=_value(fields, "deviceTest").casefold() == "yes",
    )


def _value(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "").strip()
    if _UNFILLED.fullmatch(value):
        raise LaunchRefused(
            "launch.context_not_filled",
            "FDI context token not filled in: Epic did not replace a token of the integration record.",
            detail=name,
        )
    if len(value) > _LONGEST or not value.isprintable():
        raise LaunchRefused("launch.context_invalid", "Epic sent a value that is not an id.", detail=name)
    return value
