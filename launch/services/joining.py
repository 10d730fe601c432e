"""From a text to the visit: find the link, look at the clock, let the patient in, open Teams."""

from dataclasses import dataclass
from datetime import datetime

from config_portal.services.connections import approved_configuration
from core.context import request_id
from core.errors import ConnectorError, LaunchRefused
from launch.models import Invitation, LaunchAttempt
from launch.services.accounts import account_of
from meetings.models import Participant
from meetings.services.meetings import ensure_meeting
from meetings.services.participants import expect
from meetings.services.subscriptions import listen_now
from visits.models import JoinLink, Visit
from visits.services import links

_ENDINGS = {
    JoinLink.Ending.MOVED: "join.moved",
    JoinLink.Ending.CANCELLED: "join.cancelled",
    JoinLink.Ending.REPLACED: "join.replaced",
    JoinLink.Ending.EXPIRED: "join.too_late",
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a visit may be joined."""

    opens_at: datetime
    closes_at: datetime


class TooEarly(LaunchRefused):
    """The visit cannot be joined yet."""

    def __init__(self, opens_at: datetime, time_zone: str) -> None:
        super().__init__("join.too_early")
        self.opens_at = opens_at
        self.time_zone = time_zone


def find_link(token: str) -> JoinLink | None:
    """Return the link with this token; None for one that never was and for one that is long over alike."""
    link = links.find_link(token)
    return None if link is None or link.ending == JoinLink.Ending.EXPIRED else link


def begin_test(link: JoinLink, *, now: datetime) -> LaunchAttempt:
    """Let the holder of a join link test their device, also days before the visit.

    :raises LaunchRefused: ``join.moved``, ``join.cancelled`` or ``join.replaced``.
    :raises ConfigurationError: when the endpoint is paused.
    """
    _check_link(link)
    window(link.visit)  # a pause stops everybody
    return _attempt(link, LaunchAttempt.State.CHECKING, now=now)


def check_in(link: JoinLink, *, now: datetime) -> LaunchAttempt:
    """Let the holder of a join link in.

    :raises LaunchRefused: ``join.too_early``, ``join.too_late``, ``join.moved``, ``join.cancelled`` or
        ``join.replaced``.
    :raises ConfigurationError: when the endpoint is paused.
    """
    _check_link(link)
    check_window(link.visit, now=now)
    return _attempt(link, LaunchAttempt.State.ARRIVED, now=now)


def come_in(attempt: LaunchAttempt, *, now: datetime) -> Visit:
    """Return the visit whose waiting page ``attempt`` may see; who only tested the device arrives by that.

    :raises LaunchRefused: as :func:`check_in`. :raises ConfigurationError: when the endpoint is paused.
    """
    visit = check_way_in(attempt, now=now)
    if attempt.state == LaunchAttempt.State.CHECKING:
        attempt.state, attempt.finished_at = LaunchAttempt.State.ARRIVED, now
        attempt.save(update_fields=["state", "finished_at"])
    return visit


def check_way_in(attempt: LaunchAttempt, *, now: datetime) -> Visit:
    """Return the visit of ``attempt`` if its person may still go in.

    Much may have happened since they checked in: the visit moved or ended, or the number they were texted
    at now belongs to somebody else.

    :raises LaunchRefused: as :func:`check_in`. :raises ConfigurationError: when the endpoint is paused.
    """
    visit = attempt.visit
    if visit is None or not visit.is_scheduled:
        raise LaunchRefused("launch.visit_ended" if attempt.is_provider else "join.cancelled")
    if attempt.is_provider:
        approved_configuration(attempt.endpoint)  # a pause stops everybody
        return visit
    if attempt.audience == LaunchAttempt.Audience.TEXT:
        _check_link(attempt.join_link)
    if attempt.audience == LaunchAttempt.Audience.GUEST:
        check_invitation(attempt.invitation, now=now)
    check_window(visit, now=now)
    return visit


def check_invitation(invitation: Invitation | None, *, now: datetime) -> None:
    """Refuse an invitation that was taken back, or whose time is over, and one to a visit that does not take place.

    :raises LaunchRefused: ``join.revoked``, ``join.too_late`` or ``join.cancelled``.
    """
    if invitation is None or invitation.revoked_at is not None:
        raise LaunchRefused("join.revoked")
    if not invitation.is_open(now=now):
        raise LaunchRefused("join.too_late")
    if not invitation.visit.is_scheduled:
        raise LaunchRefused("join.cancelled")


def check_window(visit: Visit, *, now: datetime) -> None:
    """Refuse a visit that cannot be joined now.

    :raises LaunchRefused: ``join.too_early`` or ``join.too_late``.
    :raises ConfigurationError: when nothing is approved, or the endpoint is paused.
    """
    times = window(visit)
    if times and now < times.opens_at:
        raise TooEarly(times.opens_at, visit.time_zone)
    if times and now > times.closes_at:
        raise LaunchRefused("join.too_late")


def window(visit: Visit) -> Window | None:
    """Return when ``visit`` may be joined; None while its time is not known.

    :raises ConfigurationError: when nothing is approved, or the endpoint is paused.
    """
    before, after = approved_configuration(visit.endpoint).join_window
    if visit.starts_at is None or visit.ends_at is None:
        return None
    return Window(opens_at=visit.starts_at - before, closes_at=visit.ends_at + after)


def go_to_teams(attempt: LaunchAttempt, *, now: datetime) -> str:
    """Return the Teams address for the person behind ``attempt``; the meeting expects them from now on.

    :raises LaunchRefused: when they may no longer go in.
    :raises ConnectorError: when Graph refuses or does not answer.
    """
    try:
        visit = check_way_in(attempt, now=now)
        account = account_of(attempt)
        meeting = ensure_meeting(_place(visit), now=now, opened_by=account)
    except ConnectorError as error:
        attempt.note_error(error.code)
        raise
    listen_now(meeting, now=now)
    expect(
        meeting,
        role=attempt.role,
        ehr_user_id=attempt.ehr_user_id,
        entra_object_id=account,
        contact=attempt.contact,
        invitation_id=attempt.invitation_id,
        now=now,
    )
    attempt.state, attempt.error_code = LaunchAttempt.State.JOINED, ""
    attempt.save(update_fields=["state", "error_code"])
    # A colleague may have an account of the hospital, with which the ordinary address lets them in.
    has_account = attempt.is_provider or attempt.role == Participant.Role.COLLEAGUE
    return str(meeting.join_web_url if has_account else meeting.patient_join_url)


def _attempt(link: JoinLink, state: LaunchAttempt.State, *, now: datetime) -> LaunchAttempt:
    return LaunchAttempt.objects.create(
        organization_id=link.visit.organization_id,
        endpoint=link.visit.endpoint,
        visit=link.visit,
        contact=link.contact,
        join_link=link,
        audience=LaunchAttempt.Audience.TEXT,
        role=Participant.Role.PATIENT,
        state=state,
        request_id=request_id(),
        finished_at=now,
    )


def _place(visit: Visit) -> Visit:
    """Return the visit whose meeting the person goes into.

    :raises LaunchRefused: ``join.group_not_open`` for one patient's appointment of a group while it is not known
        which conference it belongs to: a meeting of their own would leave them alone.
    """
    place = visit.meeting_place
    is_alone = place.is_group and place.pk == visit.pk and not visit.conference_id and visit.contacts.count() == 1
    if is_alone:
        raise LaunchRefused("join.group_not_open")
    return place


def _check_link(link: JoinLink | None) -> None:
    """Refuse a link that has ended, and one that is gone because the visit is now another person's."""
    if link is None:
        raise LaunchRefused("join.replaced")
    if not link.is_open:
        raise LaunchRefused(_ENDINGS[JoinLink.Ending(link.ending)])
    if not link.visit.is_scheduled:
        raise LaunchRefused("join.cancelled")
