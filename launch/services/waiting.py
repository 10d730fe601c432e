"""Where a patient and their care team are, for the patient's own page. Nobody else is looked at."""

from dataclasses import dataclass
from datetime import datetime

from launch.models import LaunchAttempt
from meetings.models import Participant
from meetings.services.participants import ehr_user_index_in
from visits.models import Visit

CHECKED_IN, LOBBY, IN_VISIT, LEFT = "checked_in", "lobby", "in_visit", "left"

_STATES = {
    Participant.State.EXPECTED: CHECKED_IN,
    Participant.State.WAITING: LOBBY,
    Participant.State.CONNECTED: IN_VISIT,
    Participant.State.LEFT: LEFT,
}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The patient's place: ``checked_in``, ``lobby``, ``in_visit`` or ``left``, and since when."""

    state: str
    since: datetime
    has_provider: bool


def people_of(visit: Visit) -> list[Participant]:
    """Return everybody of the meeting in which ``visit`` takes place."""
    return list(Participant.objects.filter(meeting__visit=visit.meeting_place))


def situation_of(attempt: LaunchAttempt, people: list[Participant] | None = None) -> Situation:
    """Return where the person behind ``attempt`` is, and whether the care team is in the call.

    :param people: of the visit, where they are known.
    """
    if people is None:
        people = people_of(attempt.visit) if attempt.visit else []
    mine = _mine(attempt, people)
    state = _STATES[Participant.State(mine.state)] if mine else CHECKED_IN
    return Situation(
        state=state,
        since=mine.state_at if mine and state != CHECKED_IN else attempt.finished_at or attempt.created_at,
        has_provider=any(
            person.role == Participant.Role.PROVIDER and person.state == Participant.State.CONNECTED
            for person in people
        ),
    )


def _mine(attempt: LaunchAttempt, people: list[Participant]) -> Participant | None:
    """Return which of ``people`` came with this attempt: the same invitation, contact or EHR user."""
    same_role = [person for person in people if person.role == attempt.role]
    if attempt.invitation_id is not None:
        return next((person for person in same_role if person.invitation_id == attempt.invitation_id), None)
    if attempt.contact_id is not None:
        return next((person for person in same_role if person.contact_id == attempt.contact_id), None)
    index = ehr_user_index_in(attempt.organization_id, attempt.ehr_user_id) if attempt.ehr_user_id else ""
    return next((person for person in same_role if index and person.ehr_user_index == index), None)
