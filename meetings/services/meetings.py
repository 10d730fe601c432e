"""The one meeting of a visit: made on the first join, moved and deleted with the visit.

How there is exactly one, whoever comes first and however many at once (ADR "one meeting"):

1. the row is unique per visit and fixes the external id and the organizer before Graph is asked;
2. createOrGet gives the same meeting for the same organizer and external id, so asking twice is harmless;
3. the first answer stored wins, under a row lock; later ones find the row ready and leave it;
4. a session lock lets one caller ask and the others wait, to spare Graph 50 calls. It is no more than that.

No transaction is open during a call.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from core import audit, crypto
from core.errors import LaunchRefused
from core.queries import Lookup
from meetings import signals
from meetings.models import Meeting
from meetings.providers.base import MeetingRequest, OnlineMeeting, PatientLink
from meetings.services import finding, reconciling, subscriptions
from meetings.services.finding import meeting_of
from meetings.services.single_flight import one_at_a_time
from meetings.services.suppliers import approved_teams, provider_of
from visits.models import Visit

# A patient link that fell back is asked for once more, when Graph may have recovered.
LINK_RETRY_AFTER = timedelta(minutes=1)
_LOCKED_VISIT = Lookup(lambda: Visit.objects.select_for_update(of=("self",)), "id")


def ensure_meeting(visit: Visit, *, now: datetime, opened_by: uuid.UUID | None = None) -> Meeting:
    """Return the meeting of ``visit`` with its addresses; created when it is the first to be asked for.

    Must not be called inside a transaction.

    :param opened_by: the Entra account of the provider who asks, if one does and it is known. Decides whose
        meeting it becomes, if the organization wants that; a second provider finds the first one's.

    :raises LaunchRefused: ``meeting.visit_ended`` when the visit does not take place.
    :raises ConfigurationError: Epic, Entra or Teams is not set up; the message says who does what.
    :raises UpstreamUnavailable: Teams cannot be reached or asks to wait (``retry_after``).
    :raises UpstreamRejected: Teams refused. :raises OutcomeUnknown: Teams did not answer; asking again is safe.
    """
    meeting = claim_row(visit, now=now, opened_by=opened_by)
    if meeting.is_joinable:
        return meeting
    with one_at_a_time(meeting.pk):
        meeting = _with_visit(meeting_of(meeting.visit) or meeting, meeting.visit)
        if meeting.state != Meeting.State.CREATING:
            return _joinable(meeting)
        provider = provider_of(meeting)
        online = provider.ensure_meeting(_request(meeting))
        link = provider.patient_link(online, organizer_object_id=str(meeting.organizer_object_id))
        return _joinable(_store(meeting, online, link, now=now))


def cancel_meeting(visit: Visit, *, now: datetime) -> None:
    """Close the meeting to everybody at once; Teams and the subscription follow in the background."""
    with transaction.atomic():
        meeting = Meeting.objects.select_for_update().filter(visit=visit).first()
        if meeting is None or meeting.state == Meeting.State.CANCELLED:
            return
        meeting.state, meeting.sync_due_at, meeting.sync_attempts = Meeting.State.CANCELLED, now, 0
        meeting.save(update_fields=["state", "sync_due_at", "sync_attempts"])
        subscriptions.look_again(meeting, now=now)
        audit.record("meeting.cancelled", organization_id=meeting.organization_id, subject=meeting)


def follow_visit(visit: Visit, *, now: datetime) -> None:
    """Note that the visit has another time, or takes place after all; Teams follows in the background."""
    with transaction.atomic():
        meeting = Meeting.objects.select_for_update(of=("self",)).select_related("visit").filter(visit=visit).first()
        if meeting is None:
            return
        if meeting.state == Meeting.State.CANCELLED:
            _revive(meeting)
        meeting.sync_due_at, meeting.sync_attempts = now, 0
        meeting.save()
        subscriptions.look_again(meeting, now=now)


def external_id(visit: Visit, *, generation: int) -> str:
    """Return the id under which Graph knows the meeting: an HMAC, so that no CSN leaves the hospital."""
    purpose = f"meeting.external:{visit.organization_id}:{visit.endpoint_id}:{generation}"
    return crypto.index(visit.session_id, purpose=purpose)


def claim_row(
    visit: Visit, *, now: datetime, opened_by: uuid.UUID | None = None, sync_due_at: datetime | None = None
) -> Meeting:
    """Return the row of the visit's meeting, made if there is none; brought back if it was cancelled.

    :param sync_due_at: when the background makes the meeting of a new row; None where the caller makes it.
    :raises LaunchRefused: ``meeting.visit_ended``.
    :raises ConfigurationError: when nothing is approved.
    """
    meeting = meeting_of(visit)
    if meeting is not None and meeting.is_joinable and visit.is_scheduled:
        return _with_visit(meeting, visit)
    # Read again and under a lock: a cancellation may be on its way. durable: nobody may wrap us in a transaction.
    with transaction.atomic(durable=True):
        locked = _LOCKED_VISIT.get(visit.pk)
        locked.endpoint, locked.organization = visit.endpoint, visit.organization
        if not locked.is_scheduled:
            raise LaunchRefused("meeting.visit_ended", "This visit was cancelled.")
        meeting = meeting_of(locked)
        if meeting is None:
            return _new_row(locked, now=now, opened_by=opened_by, sync_due_at=sync_due_at)
        if meeting.state == Meeting.State.CANCELLED:
            _revive(_with_visit(meeting, locked))
            meeting.save()
        return _with_visit(meeting, locked)


def _with_visit(meeting: Meeting, visit: Visit) -> Meeting:
    """Return ``meeting`` with its visit, endpoint and organization at hand, which the caller has read already."""
    meeting.visit, meeting.organization = visit, visit.organization
    return meeting


def _new_row(visit: Visit, *, now: datetime, opened_by: uuid.UUID | None, sync_due_at: datetime | None) -> Meeting:
    teams = approved_teams(visit.endpoint)
    return Meeting.objects.create(
        organization=visit.organization,
        visit=visit,
        external_id=external_id(visit, generation=1),
        tenant_id=teams.tenant_id,
        client_id=teams.client_id,
        organizer_object_id=teams.organizer(opened_by),
        created_at=now,
        sync_due_at=sync_due_at,
    )


def _revive(meeting: Meeting) -> None:
    """Bring a cancelled meeting back: the one in Teams if it still exists, else a new one on the next join."""
    if meeting.graph_id:
        meeting.state = Meeting.State.READY
    else:
        meeting.state = Meeting.State.CREATING
        start_new_generation(meeting)


def start_new_generation(meeting: Meeting) -> None:
    """Give ``meeting`` a new external id: the one before belongs to a meeting that Teams has deleted."""
    meeting.generation += 1
    meeting.external_id = external_id(meeting.visit, generation=meeting.generation)
    meeting.call_ends = []


def _request(meeting: Meeting) -> MeetingRequest:
    visit = meeting.visit
    return MeetingRequest(
        external_id=meeting.external_id,
        organizer_object_id=str(meeting.organizer_object_id),
        subject=f"Virtual visit {visit.reference}",
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        options=approved_teams(visit.endpoint).options,
    )


@transaction.atomic
def _store(meeting: Meeting, online: OnlineMeeting, link: PatientLink, *, now: datetime) -> Meeting:
    """Store what Graph answered, unless somebody did so before us or the visit was cancelled meanwhile."""
    locked = _with_visit(finding.locked(meeting.pk), meeting.visit)
    if locked.is_joinable or locked.external_id != meeting.external_id:
        return locked
    locked.graph_id, locked.join_web_url, locked.patient_join_url = online.id, online.join_web_url, link.url
    locked.dial_in_number, locked.dial_in_id = online.dial_in_number, online.dial_in_id
    locked.patient_link_is_fallback = link.is_fallback
    locked.option_differences = online.option_differences
    if locked.state == Meeting.State.CANCELLED:
        # Cancelled while Graph was making it: keep its id, so that the background can delete it.
        locked.sync_due_at = now
        locked.save()
        return locked
    locked.state = Meeting.State.READY
    locked.error_code = link.error_code
    locked.sync_due_at = now + LINK_RETRY_AFTER if link.is_fallback else None
    locked.reconcile_due_at, locked.reconcile_attempts = reconciling.silent_until(locked), 0
    locked.save()
    subscriptions.begin(locked, now=now)
    signals.meeting_created.send(sender=Meeting, meeting=locked, now=now)
    # Last: from here on everybody else of the organization who writes into the trail waits for us.
    audit.record(
        "meeting.created",
        organization_id=locked.organization_id,
        subject=locked,
        option_differences=online.option_differences,
        patient_link_is_fallback=link.is_fallback,
    )
    return locked


def _joinable(meeting: Meeting) -> Meeting:
    if not meeting.is_joinable:
        raise LaunchRefused("meeting.visit_ended", "This visit was cancelled.")
    return meeting
