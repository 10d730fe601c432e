"""Compare what Epic was told with what really happened, as presence and attendance reports together tell it.

Presence is reconciled with the attendance reports first (:mod:`meetings.services.attendance`); what that adds has
the source *attendance report*. Here every change that Epic should have heard of is held against the rows of the
outbox: each difference is named, none is dropped, and a wrong last status is set right.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from config_portal.models import Organization
from core import audit
from meetings.models import Meeting, Participant, PresenceEvent
from writeback.models import WritebackEvent
from writeback.services import outbox

# A row that is open for longer counts as not told.
PATIENCE = timedelta(hours=1)
Kind, State = WritebackEvent.Kind, WritebackEvent.State


class Gap(StrEnum):
    """How Epic's knowledge differs from what happened."""

    CORRECTED = "corrected"  # Graph said nothing; the attendance report did, and Epic was told afterwards
    NOT_TOLD = "not_told"  # there is a row, and Epic has not accepted it
    LEFT_OUT = "left_out"  # a stay that was over when we heard of it; Epic's last status was right
    DISPROVED = "disproved"  # Epic was told something that late news took back
    WRONG_STATUS = "wrong_status"  # Epic's last status was wrong; a corrected row is on its way
    NO_REPORT = "no_report"  # Teams gave no attendance report to compare with


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference. ``kind`` is connected or disconnected, '' where it is about the whole meeting."""

    meeting: Meeting
    participant: Participant | None
    gap: Gap
    kind: str
    at: datetime
    source: str
    state: str = ""


def differences(meetings: Sequence[Meeting], *, now: datetime) -> list[Difference]:
    """Return every difference of ``meetings``, oldest first, in a number of queries that does not grow."""
    events, rows = _events_of(meetings), _rows_of(meetings)
    found: list[Difference] = []
    for meeting in meetings:
        if meeting.reconcile_error:
            found.append(_about(meeting, now=now))
        for participant in meeting.participants.all():
            found += _of_person(meeting, participant, events[participant.pk], rows[participant.pk], now=now)
    return sorted(found, key=lambda difference: difference.at)


def reconcile(meetings: Sequence[Meeting], *, actor: str, now: datetime) -> dict[str, int]:
    """Set wrong last statuses right, and put into the audit trail how many differences of which kind there are."""
    counts: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for difference in differences(meetings, now=now):
        counts[difference.meeting.organization_id][difference.gap] += 1
        if difference.gap is Gap.WRONG_STATUS and difference.participant is not None:
            _set_right(difference, now=now)
    total: dict[str, int] = defaultdict(int)
    for organization_id, by_gap in counts.items():
        audit.record("writeback.reconciled", organization_id=organization_id, actor=actor, differences=dict(by_gap))
        for gap, count in by_gap.items():
            total[gap] += count
    return dict(total)


def ended_meetings(organization: Organization | None, *, since: datetime, until: datetime) -> list[Meeting]:
    """Return the meetings that ended in the period, of one organization or all."""
    meetings = Meeting.objects.filter(ended_at__gte=since, ended_at__lt=until)
    if organization is not None:
        meetings = meetings.for_organization(organization)
    return with_people(meetings)


def meetings_of_visit(reference: str) -> list[Meeting]:
    """Return the meetings of one visit, also one of whose end nobody has told us."""
    return with_people(Meeting.objects.filter(visit__reference=reference))


def with_people(meetings: QuerySet[Meeting]) -> list[Meeting]:
    """Return ``meetings``, the first that ended first, with what comparing them needs."""
    chosen = meetings.select_related("visit__endpoint__approved_version", "organization")
    return list(chosen.prefetch_related("participants").order_by("ended_at"))


def _of_person(
    meeting: Meeting,
    participant: Participant,
    events: Sequence[PresenceEvent],
    rows: Sequence[WritebackEvent],
    *,
    now: datetime,
) -> Iterable[Difference]:
    by_sequence = {row.sequence: row for row in rows}
    expected = outbox.owed(meeting.visit.endpoint, [event for event in events if not event.is_superseded])
    for kind, event in expected:
        gap = _judge(event, by_sequence.get(event.sequence), now=now)
        if gap is not None:
            yield _difference(participant, gap, kind, event, by_sequence.get(event.sequence))
    disproved = {event.sequence: event for event in events if event.is_superseded}
    for row in rows:
        if row.sequence in disproved and row.state == State.ACCEPTED:
            yield _difference(participant, Gap.DISPROVED, row.kind, disproved[row.sequence], row)
    yield from _wrong_status(participant, expected, rows)


def _judge(event: PresenceEvent, row: WritebackEvent | None, *, now: datetime) -> Gap | None:
    if row is None:
        return Gap.LEFT_OUT
    is_fresh = row.state in WritebackEvent.OPEN and now - row.created_at < PATIENCE
    if row.state != State.ACCEPTED and not is_fresh:
        return Gap.NOT_TOLD
    return Gap.CORRECTED if event.source == PresenceEvent.Source.ATTENDANCE else None


def _wrong_status(
    participant: Participant,
    expected: Sequence[tuple[str, PresenceEvent]],
    rows: Sequence[WritebackEvent],
) -> Iterable[Difference]:
    accepted = [row for row in rows if row.state == State.ACCEPTED]
    is_settled = not any(row.state in WritebackEvent.OPEN for row in rows)
    if is_settled and accepted and expected and accepted[-1].kind != expected[-1][0]:
        kind, event = expected[-1]
        yield _difference(participant, Gap.WRONG_STATUS, kind, event, None)


@transaction.atomic
def _set_right(difference: Difference, *, now: datetime) -> None:
    participant = difference.participant
    assert participant is not None  # noqa: S101 - the caller looked
    locked = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    rows = WritebackEvent.objects.filter(participant=locked)
    if rows.filter(state__in=WritebackEvent.OPEN).exists():
        return  # another run was first
    last = rows.order_by("-sequence").first()
    visit = difference.meeting.visit
    WritebackEvent.objects.create(
        **outbox.beginning(visit, now=now),
        meeting=difference.meeting,
        participant=locked,
        kind=difference.kind,
        sequence=(last.sequence if last else 0) + 1,
        occurred_at=difference.at,
        source=PresenceEvent.Source.ATTENDANCE,
    )


def _difference(
    participant: Participant, gap: Gap, kind: str, event: PresenceEvent, row: WritebackEvent | None
) -> Difference:
    return Difference(
        meeting=participant.meeting, participant=participant, gap=gap, kind=kind, at=event.at, source=event.source,
        state=row.state if row else "",
    )  # fmt: skip


def _about(meeting: Meeting, *, now: datetime) -> Difference:
    return Difference(
        meeting=meeting, participant=None, gap=Gap.NO_REPORT, kind="", at=meeting.ended_at or now, source="",
        state=meeting.reconcile_error,
    )  # fmt: skip


def _events_of(meetings: Sequence[Meeting]) -> dict[UUID, list[PresenceEvent]]:
    found: dict[UUID, list[PresenceEvent]] = defaultdict(list)
    for event in PresenceEvent.objects.filter(participant__meeting__in=meetings).order_by("at", "kind", "sequence"):
        found[event.participant_id].append(event)
    return found


def _rows_of(meetings: Sequence[Meeting]) -> dict[UUID | None, list[WritebackEvent]]:
    found: dict[UUID | None, list[WritebackEvent]] = defaultdict(list)
    for row in WritebackEvent.objects.filter(meeting__in=meetings).order_by("sequence"):
        found[row.participant_id].append(row)
    return found
