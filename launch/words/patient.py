"""Words for patients and those who help them: short, plain, and translated.

What an error itself says is never shown: it is English and written for staff.
"""

from django.utils.translation import gettext_lazy as _

from core.errors import ConfigurationError, ConnectorError, OutcomeUnknown, UpstreamUnavailable
from launch.words.base import Words

_NEWEST = _("Use the link in your newest text message.")
_REOPEN = _("Open your visit again from MyChart or from the link in your text message.")

_CANCELLED = Words(
    title=_("This visit was cancelled"),
    happened=_("There is no video visit at this time any more."),
    todo=_("Call us to make a new one."),
    status=410,
)
_CLOSED = Words(
    title=_("Open your visit again"),
    happened=_("This page was open for a long time, or your browser did not keep it."),
    todo=_REOPEN,
    status=403,
)
_COOKIES = Words(
    title=_("Your browser does not allow cookies"),
    happened=_("Your visit needs one cookie, so that it opens for you and nobody else."),
    todo=_("Allow cookies in your browser, or use another browser, and open your visit again."),
    status=403,
)

_UNKNOWN = Words(
    title=_("This link does not work"),
    happened=_("A part of it may be missing, or it may be too old."),
    todo=_("Open the link from the text message again, or call the clinic."),
    status=404,
)
_WORDS = {
    "join.unknown": _UNKNOWN,
    "launch.unknown_record": _UNKNOWN,
    "join.too_many": Words(
        title=_("Too many tries"),
        happened=_("Too many wrong links were opened from your network."),
        todo=_("Wait one minute. Then open the link from the text message again."),
        status=429,
    ),
    "join.cancelled": _CANCELLED,
    "meeting.visit_ended": _CANCELLED,
    "join.moved": Words(
        title=_("This visit was moved"),
        happened=_("Your visit has a new time, so this link does not work any more."),
        todo=_NEWEST,
        status=410,
    ),
    "join.revoked": Words(
        title=_("This invitation was taken back"),
        happened=_("The link does not work any more."),
        todo=_("Ask the person who invited you, or call us."),
        status=410,
    ),
    "join.replaced": Words(
        title=_("There is a newer link"),
        happened=_("This link does not work any more."),
        todo=_NEWEST,
        status=410,
    ),
    "join.too_late": Words(
        title=_("This visit is over"),
        happened=_("The link works only for some time after the visit."),
        todo=_("Call us if you need a new visit."),
        status=410,
    ),
    "join.group_not_open": Words(
        title=_("Your group visit is not open yet"),
        happened=_("Your care team has not opened it."),
        todo=_("Wait a few minutes and try again, or open your visit from MyChart."),
        status=409,
    ),
    "join.no_cookie": _COOKIES,
    "launch.no_cookies": _COOKIES,
    "launch.wrong_role": Words(
        title=_("This way in is for somebody else"),
        happened=_("You are signed in as somebody who is not a patient of this visit."),
        todo=_("Sign in to MyChart as the patient, or as a person who may act for the patient."),
        status=403,
    ),
    "visit.no_cookie": _CLOSED,
    "visit.other_visit": Words(
        title=_("Another visit was opened here"),
        happened=_("A different visit was opened in this browser after this page."),
        todo=_REOPEN,
        status=403,
    ),
}
_LATER = Words(
    title=_("Your visit cannot be opened right now"),
    happened=_("It is not your fault. Something on our side did not answer."),
    todo=_("Wait one minute and try again."),
    status=503,
)
_NOT_SET_UP = Words(
    title=_("Your visit cannot be opened right now"),
    happened=_("It is not your fault. Our video visits are not working at the moment."),
    todo=_("Call us. We will help you."),
    status=503,
)
_REFUSED = Words(
    title=_("Your visit did not open"),
    happened=_("Something went wrong on the way."),
    todo=_REOPEN,
)


def words_of(error: ConnectorError) -> Words:
    """Return the words for ``error``; codes that only staff can use get general ones."""
    return _WORDS.get(error.code) or _general(error)


def _general(error: ConnectorError) -> Words:
    if isinstance(error, UpstreamUnavailable | OutcomeUnknown):
        return _LATER
    return _NOT_SET_UP if isinstance(error, ConfigurationError) else _REFUSED
