"""Make meetings ready before anybody joins, so that nobody waits for Teams on the first join.

Usually that is shortly before the visit may be joined, which also lets a missing permission or policy show before the
first patient comes; for a visit that nobody knew it is when its provider opens it.
"""

import uuid
from datetime import datetime, timedelta

from config_portal.models import FhirEndpoint
from config_portal.services.connections import approved_configuration
from core.errors import LaunchRefused
from meetings import signals
from meetings.models import Meeting
from meetings.services.meetings import claim_row
from meetings.services.suppliers import approved_teams
from visits.models import Visit

# Ready this long before the window opens, which leaves room to try again.
AHEAD = timedelta(minutes=10)
BATCH = 50


def prepare_due(*, now: datetime) -> int:
    """Enter the meetings of visits that may soon be joined; return how many.

    The rows are then brought in line with Teams like any other (:mod:`meetings.services.synchronizing`).
    """
    endpoints = FhirEndpoint.objects.approved().select_related("organization", "approved_version")
    return sum(_enter(visit, now=now) for endpoint in endpoints for visit in _due(endpoint, now=now))


def prepare(visit: Visit, *, now: datetime, opened_by: uuid.UUID | None = None) -> None:
    """Let the background make the meeting of ``visit`` unless it is ready; nothing is asked of Teams here.

    Whoever joins before it is made makes it themselves. Must not be called inside a transaction.

    :param opened_by: as for :func:`meetings.services.meetings.ensure_meeting`.
    :raises LaunchRefused: ``meeting.visit_ended``.
    :raises ConfigurationError: when nothing is approved, the endpoint is paused or has no Teams.
    """
    meeting = claim_row(visit, now=now, opened_by=opened_by, sync_due_at=now)
    if not meeting.is_joinable:
        if meeting.sync_due_at != now:  # no new row: one that failed, or was left by somebody who gave up
            Meeting.objects.filter(pk=meeting.pk, state=Meeting.State.CREATING).update(sync_due_at=now)
        signals.meeting_wanted.send(sender=Meeting, meeting=meeting, now=now)


def _due(endpoint: FhirEndpoint, *, now: datetime) -> list[Visit]:
    """Return visits of ``endpoint`` whose window opens soon and that have no meeting yet."""
    configuration = approved_configuration(endpoint)
    if not configuration.part("teams") or approved_teams(endpoint).has_personal_organizers:
        return []
    before, _ = configuration.join_window
    soon = Visit.objects.for_organization(endpoint.organization).filter(endpoint=endpoint, meeting=None).scheduled()
    return list(soon.starting_between(now, now + before + AHEAD).order_by("starts_at")[:BATCH])


def _enter(visit: Visit, *, now: datetime) -> int:
    try:
        meeting = claim_row(visit, now=now)
    except LaunchRefused:  # cancelled since it was read
        return 0
    # Whoever joins at this very moment does not wait for us, and we find their meeting ready.
    return Meeting.objects.filter(pk=meeting.pk, state=Meeting.State.CREATING, sync_due_at=None).update(sync_due_at=now)
