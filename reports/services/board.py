"""Visits as rows: today's board, the search, the usage report. One query for each kind of row, whatever the count."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from config_portal.models import Organization
from meetings.models import Meeting, PresenceEvent
from reports.definitions import Attendance
from reports.services.presence import attendance
from sms.models import SmsMessage
from visits.models import Visit
from writeback.models import WritebackEvent


@dataclass(frozen=True, kw_only=True)
class VisitRow:
    """A visit with everything that tables and headings say about it.

    ``epic_stopped`` counts what Epic refused or may not have got, ``epic_held`` what cannot be sent.
    """

    visit: Visit
    attendance: Attendance
    texts_delivered: int
    texts_sent: int
    texts_failed: int
    epic_told: int
    epic_to_tell: int
    epic_stopped: int
    epic_held: int
    epic_on_the_way: int
    meeting_error: str


def visits_on(organization: Organization, day: date) -> list[VisitRow]:
    """Return the visits of ``organization`` that start on ``day`` in its own zone, earliest first."""
    zone = ZoneInfo(organization.time_zone)
    start = datetime.combine(day, time(), zone)
    return visits_between(organization, start, datetime.combine(day + timedelta(days=1), time(), zone))


def visits_between(organization: Organization, start: datetime, end: datetime) -> list[VisitRow]:
    """Return the visits of ``organization`` that start in ``[start, end)``, earliest first."""
    visits = Visit.objects.for_organization(organization).starting_between(start, end)
    return rows_of(visits.select_related("endpoint", "organization").order_by("starts_at", "reference"))


def rows_of(visits: Iterable[Visit]) -> list[VisitRow]:
    """Return a row for each of ``visits``, in their order."""
    listed = list(visits)
    ids = [visit.pk for visit in listed]
    presence, texts, told, errors = _presence_of(ids), _texts_of(ids), _told_of(ids), _meeting_errors(ids)
    return [
        VisitRow(
            visit=visit,
            attendance=attendance(presence[visit.pk]),
            texts_delivered=texts[visit.pk][_Text.DELIVERED],
            texts_sent=sum(texts[visit.pk].values()) - _count(texts[visit.pk], _NEVER_SENT),
            texts_failed=_count(texts[visit.pk], _NOT_ARRIVED),
            epic_told=told[visit.pk][_Told.ACCEPTED],
            epic_to_tell=sum(told[visit.pk].values()),
            epic_stopped=_count(told[visit.pk], (_Told.FAILED, _Told.UNKNOWN)),
            epic_held=told[visit.pk][_Told.NOT_SENDABLE],
            epic_on_the_way=_count(told[visit.pk], (_Told.PENDING, _Told.SENDING)),
            meeting_error=errors.get(visit.pk, ""),
        )
        for visit in listed
    ]


_Text, _Told = SmsMessage.State, WritebackEvent.State
_NEVER_SENT = (_Text.PENDING, _Text.SENDING, _Text.WITHDRAWN, _Text.EXPIRED, _Text.SUPPRESSED)
_NOT_ARRIVED = (_Text.UNDELIVERED, _Text.FAILED)


def _count(states: Counter[str], wanted: Iterable[str]) -> int:
    return sum(states[state] for state in wanted)


def _presence_of(ids: list[UUID]) -> dict[UUID, list[PresenceEvent]]:
    events: dict[UUID, list[PresenceEvent]] = defaultdict(list)
    found = PresenceEvent.objects.standing().filter(participant__meeting__visit_id__in=ids)
    for event in found.select_related("participant__meeting"):
        events[event.participant.meeting.visit_id].append(event)
    return events


def _texts_of(ids: list[UUID]) -> dict[UUID, Counter[str]]:
    return _states_of(SmsMessage.objects.filter(visit_id__in=ids).values_list("visit_id", "state"))


def _told_of(ids: list[UUID]) -> dict[UUID, Counter[str]]:
    return _states_of(WritebackEvent.objects.filter(visit_id__in=ids).values_list("visit_id", "state"))


def _states_of(rows: Iterable[tuple[UUID, str]]) -> dict[UUID, Counter[str]]:
    states: dict[UUID, Counter[str]] = defaultdict(Counter)
    for visit_id, state in rows:
        states[visit_id][state] += 1
    return states


def _meeting_errors(ids: list[UUID]) -> dict[UUID, str]:
    failed = Meeting.objects.filter(visit_id__in=ids, state=Meeting.State.CREATING).exclude(error_code="")
    return dict(failed.values_list("visit_id", "error_code"))
