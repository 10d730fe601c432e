"""Words for clinicians who open a visit from Epic. English only, as Epic is."""

from core.errors import ConfigurationError, ConnectorError, OutcomeUnknown, UpstreamUnavailable
from launch.words.base import Words

_AGAIN = "Go back to Epic and open the visit again."
_ANALYST = "Tell your Epic analyst the reference number below."
_OPEN_AGAIN = Words(title="Open the visit again from Epic", todo=_AGAIN)

_WORDS = {
    "launch.unknown_record": Words(
        title="This launch address is not known",
        happened="The connector has no integration record with this address.",
        todo="Ask your Epic analyst to copy the integration record again.",
        status=404,
    ),
    "launch.wrong_issuer": Words(
        title="This record belongs to another Epic",
        todo="Ask your Epic analyst to compare the integration record with the one in the connector.",
    ),
    "launch.wrong_environment": Words(title="Wrong environment", todo=_ANALYST),
    "launch.link_unreadable": Words(title="The visit could not be opened", todo=f"{_AGAIN} {_ANALYST}"),
    "launch.incomplete": Words(title="The visit could not be opened", todo=_AGAIN),
    "launch.no_cookies": Words(
        title="This browser does not allow cookies",
        happened="The visit needs one cookie, to be sure that it opens for you and nobody else.",
        todo="Allow cookies for this site, or use another browser, and open the visit again from Epic.",
        status=403,
    ),
    "launch.state_unknown": _OPEN_AGAIN,
    "launch.other_browser": _OPEN_AGAIN,
    "launch.state_used": _OPEN_AGAIN,
    "launch.state_expired": _OPEN_AGAIN,
    "launch.wrong_role": Words(
        title="This way in is for somebody else",
        happened="Epic says who you are, and you are not a clinician of this visit.",
        todo=_ANALYST,
        status=403,
    ),
    "graph.access_policy_missing": Words(
        title="Teams does not let the connector hold this visit yet",
        todo="Send this page to the Teams administrator of your organization.",
        status=503,
    ),
    "launch.visit_ended": Words(
        title="This visit was cancelled", todo="Look at the schedule in Epic for its new time.", status=410
    ),
    "meeting.visit_ended": Words(
        title="This visit was cancelled", todo="Look at the schedule in Epic for its new time.", status=410
    ),
    "account.refused": Words(
        title="Your Microsoft account could not be found out",
        todo="Close this window, press Join again, and sign in with your work account at this hospital.",
        status=403,
    ),
    "invitation.too_many": Words(
        title="Too many invitations", todo="Take one back before you invite somebody else.", status=409
    ),
    "visit.no_cookie": Words(
        title="This page has been closed",
        happened="This browser no longer knows which visit you opened.",
        todo=_AGAIN,
        status=403,
    ),
    "visit.other_visit": Words(
        title="This page belongs to another visit",
        happened="A different visit was opened in this browser since.",
        todo="Close this page. To come back to this visit, open it again from Epic.",
        status=403,
    ),
}
_LATER = Words(
    title="The visit cannot be opened right now",
    happened="Another system did not answer.",
    todo="Wait a minute and try again.",
    status=503,
)
_NOT_SET_UP = Words(title="The visit cannot be opened yet", todo=_ANALYST, status=503)
_REFUSED = Words(title="The visit could not be opened", todo=f"{_AGAIN} If it happens again, {_ANALYST.lower()}")


def words_of(error: ConnectorError) -> Words:
    """Return the words for ``error``; what the error itself says is more exact than ours."""
    words = _WORDS.get(error.code) or _general(error)
    return Words(title=words.title, happened=error.user_message or words.happened, todo=words.todo, status=words.status)


def _general(error: ConnectorError) -> Words:
    if isinstance(error, UpstreamUnavailable | OutcomeUnknown):
        return _LATER
    return _NOT_SET_UP if isinstance(error, ConfigurationError) else _REFUSED
