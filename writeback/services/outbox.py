"""The rows of the outbox: stored with the news they tell, held, released, retried, handled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from config_portal.models import FhirEndpoint
from config_portal.services.connections import approved_configuration
from core import audit
from core import outbox as core_outbox
from core.context import request_id
from core.errors import ConfigurationError
from meetings.models import Participant, PresenceEvent
from visits.models import Visit
from writeback.models import WritebackEvent
from writeback.models.configuration import DeviceTestMeans
from writeback.services.choices import Choices, approved_choices
from writeback.services.messages import is_repeatable, missing

WORKER_LOST = "writeback.worker_lost"
# What a person may take off the list of open questions.
HANDLEABLE = (WritebackEvent.State.FAILED, WritebackEvent.State.UNKNOWN, WritebackEvent.State.NOT_SENDABLE)

_Presence = PresenceEvent.Kind
# What each change of presence means to Epic, by where a person counts as connected (ADR 11).
_MEANING = {
    "lobby": {
        _Presence.LOBBY_ENTERED: WritebackEvent.Kind.CONNECTED,
        _Presence.CONNECTED: WritebackEvent.Kind.CONNECTED,
        _Presence.LEFT_LOBBY: WritebackEvent.Kind.DISCONNECTED,
        _Presence.DISCONNECTED: WritebackEvent.Kind.DISCONNECTED,
    },
    "call": {
        _Presence.CONNECTED: WritebackEvent.Kind.CONNECTED,
        _Presence.DISCONNECTED: WritebackEvent.Kind.DISCONNECTED,
    },
}
_HERE = {
    "lobby": {Participant.State.WAITING, Participant.State.CONNECTED},
    "call": {Participant.State.CONNECTED},
}


@dataclass(frozen=True, kw_only=True)
class Decided:
    """For how many rows a person's decision was carried out, and for how many it was not possible."""

    done: int
    skipped: int


def store_presence(participant: Participant, event: PresenceEvent, *, now: datetime) -> WritebackEvent | None:
    """Store what Epic must be told about ``event``; None when that is nothing new to Epic.

    Call it in the transaction that stores the event. Without an id that Epic needs the row is kept as not
    sendable, and everything of the participant waits behind it.
    """
    meeting = participant.meeting
    visit = meeting.visit
    choices = _choices(visit.endpoint)
    kind = _news(participant, event, counted_from=choices.connection_status.connected_from)
    if kind is None:
        return None
    row, _ = WritebackEvent.objects.get_or_create(
        participant=participant,
        kind=kind,
        sequence=event.sequence,
        defaults={
            **_beginning(visit, means=choices.means, now=now),
            "meeting": meeting,
            "occurred_at": event.at,
            "source": event.source,
            "request_id": participant.request_id,
        },
    )
    return row


def store_device_test(
    visit: Visit, *, test_id: UUID, passed: bool, parts: Mapping[str, str], at: datetime, now: datetime
) -> WritebackEvent | None:
    """Store the result of a device test for Epic; None when the hospital keeps results here only.

    Call it in the transaction that stores the result; a test is told once.

    :param parts: what was tested → ``passed`` or another word, such as ``camera`` → ``failed``.
    """
    choices = _choices(visit.endpoint)
    if choices.device_tests == DeviceTestMeans.STORE_ONLY:
        return None
    row, _ = WritebackEvent.objects.get_or_create(
        device_test_id=test_id,
        defaults={
            **_beginning(visit, means=choices.device_tests, now=now),
            "kind": WritebackEvent.Kind.DEVICE_TEST,
            "result": {"passed": passed, "parts": dict(parts)},
            "occurred_at": at,
            "request_id": request_id(),
        },
    )
    return row


def owed(endpoint: FhirEndpoint, events: Iterable[PresenceEvent]) -> list[tuple[str, PresenceEvent]]:
    """Return what Epic should hear of a participant's standing ``events``, in order of time: kind and event."""
    meaning = _MEANING[_choices(endpoint).connection_status.connected_from]
    told: list[tuple[str, PresenceEvent]] = []
    for event in events:
        kind = meaning.get(_Presence(event.kind))
        before = told[-1][0] if told else WritebackEvent.Kind.DISCONNECTED
        if kind is not None and kind != before:
            told.append((kind, event))
    return told


def beginning(visit: Visit, *, now: datetime) -> dict[str, Any]:
    """Return how a row about coming or going in ``visit`` begins."""
    return _beginning(visit, means=_choices(visit.endpoint).means, now=now)


def _beginning(visit: Visit, *, means: str, now: datetime) -> dict[str, Any]:
    """Return how a row about ``visit`` begins: due now, or held until what is missing is known."""
    lacking = missing(conference_id=visit.conference_id, patient_id=visit.fhir_patient_id, means=means)
    if not lacking:
        release_held(visit, now=now)
    return {
        "organization_id": visit.organization_id,
        "endpoint_id": visit.endpoint_id,
        "visit": visit,
        "due_at": now,
        "state": WritebackEvent.State.NOT_SENDABLE if lacking else WritebackEvent.State.PENDING,
        "error_code": lacking,
    }


def _news(participant: Participant, event: PresenceEvent, *, counted_from: str) -> str | None:
    """Return what ``event`` changes for Epic; None when Epic knows already.

    A person admitted from the lobby was connected before. And news that came late, about a time before what
    Epic was told last, is left out as long as what Epic was told last is how things are.
    """
    kind = _MEANING[counted_from].get(_Presence(event.kind))
    before = WritebackEvent.objects.filter(participant=participant, sequence__lt=event.sequence)
    last = before.order_by("-sequence").first()
    if last is None:
        return None if kind == WritebackEvent.Kind.DISCONNECTED else kind
    is_here = participant.state in _HERE[counted_from]
    is_told_rightly = is_here == (last.kind == WritebackEvent.Kind.CONNECTED)
    is_late = event.at <= last.occurred_at
    return None if kind == last.kind or (is_late and is_told_rightly) else kind


def _choices(endpoint: FhirEndpoint) -> Choices:
    try:
        return approved_choices(approved_configuration(endpoint))
    except ConfigurationError:
        # Nothing can be sent now; what is stored must still be right once it can.
        return Choices()


def release_held(visit: Visit, *, now: datetime) -> int:
    """Make the held rows of ``visit`` due, now that its conference id is known; return how many."""
    return _release(WritebackEvent.objects.held().filter(visit=visit), now=now)


def release_all_held(*, now: datetime) -> int:
    """Make held rows due wherever a launch has brought the conference id since; return how many."""
    return _release(WritebackEvent.objects.ready_to_release(), now=now)


def recover_abandoned(*, now: datetime) -> int:
    """Settle rows whose worker died during the call; return how many.

    Setting a state twice does no harm, so that such a row goes back. An entry in the chart may have been made: its
    row ends as unknown, and a person decides.
    """
    abandoned = WritebackEvent.objects.abandoned_before(now).select_related("endpoint__approved_version")
    rows = list(abandoned)
    for row in rows:
        means = _choices(row.endpoint).means_of(is_device_test=row.kind == WritebackEvent.Kind.DEVICE_TEST)
        if is_repeatable(means):
            core_outbox.retry_later(row, now=now, error_code=WORKER_LOST, after=0)
        else:
            core_outbox.finish(row, state=WritebackEvent.State.UNKNOWN, now=now, error_code=WORKER_LOST)
    return len(rows)


@transaction.atomic
def retry(rows: Iterable[WritebackEvent], *, actor: str, now: datetime) -> Decided:
    """Put failed rows back in line, unless Epic was told something later about the same person.

    An old "connected" sent after a "disconnected" would leave the person connected in Epic for good.
    """
    done = skipped = 0
    for row in rows:
        siblings = WritebackEvent.objects.filter(participant=row.participant_id).select_for_update()
        of_participant = list(siblings.order_by("sequence")) if row.participant_id else _locked(row)
        if _may_go_again(row, of_participant):
            WritebackEvent.objects.filter(pk=row.pk).update(
                state=WritebackEvent.State.PENDING,
                due_at=now,
                attempts=0,
                error_code="",
                epic_code="",
                finished_at=None,
            )
            _audit("writeback.retried", row, actor=actor)
            done += 1
        else:
            skipped += 1
    return Decided(done=done, skipped=skipped)


@transaction.atomic
def mark_handled(rows: Iterable[WritebackEvent], *, actor: str, reason: str, now: datetime) -> Decided:
    """Take rows off the list of what needs a person: somebody saw to it in Epic.

    :param reason: what was done; no names or numbers of patients.
    """
    done = skipped = 0
    for row in rows:
        stopped = WritebackEvent.objects.filter(pk=row.pk, state__in=HANDLEABLE)
        if stopped.update(state=WritebackEvent.State.HANDLED, handled_by=actor, handled_reason=reason, finished_at=now):
            _audit("writeback.handled", row, actor=actor, reason=reason)
            done += 1
        else:
            skipped += 1
    return Decided(done=done, skipped=skipped)


def _locked(row: WritebackEvent) -> list[WritebackEvent]:
    return list(WritebackEvent.objects.filter(pk=row.pk).select_for_update())


def _audit(action: str, row: WritebackEvent, *, actor: str, **data: str) -> None:
    audit.record(
        action,
        organization_id=row.organization_id,
        actor=actor,
        subject=row,
        reference=row.visit.reference,
        kind=row.kind,
        was=row.state,
        code=row.error_code,
        **data,
    )


def _may_go_again(row: WritebackEvent, of_participant: list[WritebackEvent]) -> bool:
    state = WritebackEvent.State
    current = next((sibling for sibling in of_participant if sibling.pk == row.pk), None)
    later = [sibling.state for sibling in of_participant if sibling.sequence > row.sequence]
    is_stopped = current is not None and current.state in {state.FAILED, state.UNKNOWN}
    return is_stopped and not {state.SENDING, state.ACCEPTED, state.UNKNOWN} & set(later)


def _release(held: QuerySet[WritebackEvent], *, now: datetime) -> int:
    return held.update(state=WritebackEvent.State.PENDING, due_at=now, error_code="")
