"""Let a message take effect on our books, in the order of the sender's clock."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from config_portal.models import FhirEndpoint
from hl7intake.mapping import Coverage, Ended, Meaning, NotForUs, Reason, Scheduled
from hl7intake.models import InboundMessage
from visits.models import Visit
from visits.services.scheduling import Change, Outcome, end_visit, schedule_visit, session_index

State = InboundMessage.State

_LOCK_TIMEOUT = "5s"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a message did.

    ``session_index`` and ``message_at`` are empty for messages that say nothing about a visit, or that we
    did not look at: only what was looked at may make older messages outdated.
    """

    state: InboundMessage.State
    reason: str = ""
    visit_id: UUID | None = None
    session_index: str = ""
    message_at: datetime | None = None


class SessionBusy(Exception):
    """Another message about the same appointment is taking effect at this moment."""


def apply(meaning: Meaning, *, endpoint: FhirEndpoint, received_at: datetime, now: datetime) -> Effect:
    """Bring the visit to the state that ``meaning`` says; must run in a transaction.

    :param received_at: when the message came; of two that bear the same time, the later one counts.
    :raises SessionBusy: instead of waiting for another message about the same visit.
    """
    if isinstance(meaning, NotForUs):
        return Effect(state=State.IGNORED, reason=meaning.reason)
    if isinstance(meaning, Scheduled) and meaning.coverage is Coverage.UNCONFIGURED:
        return Effect(state=State.IGNORED, reason=Reason.FILTER_EMPTY)
    session_id, changed_at = _subject(meaning)
    index = session_index(endpoint, session_id)
    _lock_session(index)
    if _is_outdated(endpoint, index, changed_at, received_at=received_at):
        effect = Effect(state=State.SUPERSEDED)
    else:
        effect = _effect(meaning, endpoint=endpoint, now=now)
    return replace(effect, session_index=index, message_at=changed_at)


def _subject(meaning: Scheduled | Ended) -> tuple[str, datetime]:
    about = meaning.visit if isinstance(meaning, Scheduled) else meaning
    return about.session_id, about.changed_at


def _lock_session(index: str) -> None:
    """Take our turn with this visit until the end of the transaction."""
    key = int.from_bytes(bytes.fromhex(index)[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true), pg_try_advisory_xact_lock(%s)", [_LOCK_TIMEOUT, key]
        )
        if not cursor.fetchone()[1]:
            raise SessionBusy


def _is_outdated(endpoint: FhirEndpoint, index: str, changed_at: datetime, *, received_at: datetime) -> bool:
    known = InboundMessage.objects.filter(endpoint=endpoint, session_index=index)
    newer = known.filter(Q(message_at__gt=changed_at) | Q(message_at=changed_at, received_at__gt=received_at))
    return newer.filter(state__in=[State.APPLIED, State.IGNORED]).exists()


def _effect(meaning: Scheduled | Ended, *, endpoint: FhirEndpoint, now: datetime) -> Effect:
    if isinstance(meaning, Ended):
        outcome = _end(meaning.session_id, meaning.state, changed_at=meaning.changed_at, endpoint=endpoint, now=now)
        return _described(outcome, unknown=Reason.UNKNOWN_VISIT)
    if meaning.coverage is Coverage.VIRTUAL:
        return _described(schedule_visit(endpoint, meaning.visit, now=now), unknown="")
    if meaning.coverage is Coverage.UNSTATED:
        return _update_known(meaning, endpoint=endpoint, now=now)
    # It became a visit in person: to the patient, the virtual visit is off.
    about = meaning.visit
    outcome = _end(about.session_id, Visit.State.CANCELLED, changed_at=about.changed_at, endpoint=endpoint, now=now)
    return _described(outcome, unknown=Reason.NOT_VIRTUAL)


def _end(
    session_id: str, state: Visit.State, *, changed_at: datetime, endpoint: FhirEndpoint, now: datetime
) -> Outcome:
    return end_visit(endpoint, session_id, state=state, changed_at=changed_at, now=now)


def _update_known(meaning: Scheduled, *, endpoint: FhirEndpoint, now: datetime) -> Effect:
    """Apply a message without visit type and department to a visit we have; what it leaves out stays."""
    index = session_index(endpoint, meaning.visit.session_id)
    known = Visit.objects.filter(endpoint=endpoint, session_index=index, starts_at__isnull=False).first()
    if known is None:
        return Effect(state=State.IGNORED, reason=Reason.NOT_VIRTUAL)
    completed = replace(
        meaning.visit,
        visit_type=meaning.visit.visit_type or known.visit_type,
        visit_type_name=meaning.visit.visit_type_name or known.visit_type_name,
        department=meaning.visit.department or known.department,
    )
    return _described(schedule_visit(endpoint, completed, now=now), unknown="")


def _described(outcome: Outcome, *, unknown: str) -> Effect:
    if outcome.visit is None:
        return Effect(state=State.IGNORED, reason=unknown)
    state = State.SUPERSEDED if outcome.change is Change.SUPERSEDED else State.APPLIED
    return Effect(state=state, visit_id=outcome.visit.pk)
