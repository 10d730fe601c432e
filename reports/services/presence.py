"""From presence events to the figures of a visit; what they mean stands in :mod:`reports.definitions`."""

from collections.abc import Iterable

from meetings.models import Participant, PresenceEvent
from reports.definitions import Attendance, Change, measure


def attendance(events: Iterable[PresenceEvent]) -> Attendance:
    """Return the figures that ``events``, in order of time, tell of a visit."""
    return measure(
        Change(
            kind=event.kind,
            at=event.at,
            person=event.participant_id,
            is_provider=event.participant.role == Participant.Role.PROVIDER,
        )
        for event in events
    )
