"""Bring the facts of visits up to date with what happened; the same few queries for any number of visits."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce

from core import crypto
from launch.models import LaunchAttempt
from meetings.models import Meeting, Participant, PresenceEvent
from reports import definitions
from reports.definitions import Attendance, Change, Planned, Status
from reports.models import VisitFact
from sms.models import SmsMessage
from visits.models import Visit
from writeback.services import ledger

# Refusals that say something about people or records; every other error of a launch is a system's.
_NOT_TECHNICAL = ("launch.", "join.", "visit.", "device_test.")
# Whatever Epic has not accepted by then is a difference.
_AT_LAST = datetime.max.replace(tzinfo=UTC)
_FIELDS = [field.attname for field in VisitFact._meta.concrete_fields if not field.primary_key]


@dataclass(frozen=True)
class Moved:
    """A visit's figures changed at this time, which is where it stood or now stands in the reports."""

    organization_id: UUID
    at: datetime


def join_index(organization_id: UUID, url: str) -> str:
    """Return the index by which call records find the visit of a Teams address."""
    return crypto.index(url, purpose=f"report.join_url:{organization_id}")


def update(visit_ids: Collection[UUID], *, now: datetime) -> set[Moved]:
    """Derive the facts of these visits anew, and return which times were touched.

    An appointment of a group visit counts through the visit in which the group meets, and has no fact.
    """
    old = VisitFact.objects.filter(visit_id__in=visit_ids).values_list("organization_id", "starts_at")
    moved = {Moved(*row) for row in old}
    visits = list(Visit.objects.filter(pk__in=visit_ids).select_related("endpoint"))
    alone = [visit for visit in visits if visit.group_visit_id is None]
    VisitFact.objects.filter(visit__in=[visit for visit in visits if visit.group_visit_id is not None]).delete()
    facts = _facts(alone, now=now)
    VisitFact.objects.bulk_create(facts, update_conflicts=True, unique_fields=["visit"], update_fields=_FIELDS)
    return moved | {Moved(fact.organization_id, fact.starts_at) for fact in facts}


def _facts(visits: list[Visit], *, now: datetime) -> list[VisitFact]:
    ids = [visit.pk for visit in visits]
    changes, texts, failing, providers = _changes(ids), _texts(ids), _failing(ids), _providers(ids)
    joins, differing = _joins(ids), _differing(ids)
    facts = []
    for visit in visits:
        seen = definitions.measure(changes[visit.pk])
        planned = _planned(visit, has_error=visit.pk in failing)
        sent, delivered = texts.get(visit.pk, (0, 0))
        facts.append(
            VisitFact(
                visit=visit,
                organization_id=visit.organization_id,
                endpoint_id=visit.endpoint_id,
                is_production=visit.endpoint.is_production,
                department=visit.department,
                visit_type=visit.visit_type,
                provider_index=providers.get(visit.pk, ""),
                join_index=joins.get(visit.pk, ""),
                texts_sent=sent,
                texts_delivered=delivered,
                may_differ=visit.pk in differing,
                **_figures(visit, seen, planned, now=now),
            )
        )
    return facts


def _figures(visit: Visit, seen: Attendance, planned: Planned, *, now: datetime) -> dict[str, object]:
    status = definitions.status_of(seen, planned, now=now)
    return {
        "starts_at": seen.start or visit.starts_at or visit.created_at,
        "status": status.value,
        "microsoft_status": definitions.microsoft_status(seen).value,
        "duration": definitions.seconds(seen.duration),
        "lobby_wait": None if seen.lobby_wait is None else definitions.seconds(seen.lobby_wait),
        "waits": [definitions.seconds(wait) for wait in seen.waits],
        "gave_up": seen.gave_up,
        "peak": seen.peak,
        "total": seen.total,
        "review_at": planned.closes_at if status is Status.SCHEDULED else None,
    }


def _planned(visit: Visit, *, has_error: bool) -> Planned:
    return Planned(
        ends_at=visit.ends_at or visit.starts_at or visit.created_at,
        is_cancelled=visit.state == Visit.State.CANCELLED,
        is_no_show=visit.state == Visit.State.NO_SHOW,
        has_error=has_error,
    )


def _changes(ids: list[UUID]) -> dict[UUID, list[Change]]:
    events = PresenceEvent.objects.standing().filter(participant__meeting__visit_id__in=ids)
    found: dict[UUID, list[Change]] = defaultdict(list)
    rows = events.values_list("participant__meeting__visit_id", "participant_id", "participant__role", "kind", "at")
    for visit_id, person, role, kind, at in rows:
        is_provider = role == Participant.Role.PROVIDER
        found[visit_id].append(Change(kind=kind, at=at, person=person, is_provider=is_provider))
    return found


def _texts(ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return by visit how many texts a carrier took, and how many reached the phone; a group's are together."""
    texts = SmsMessage.objects.filter(Q(visit_id__in=ids) | Q(visit__group_visit_id__in=ids))
    counted = (
        texts.annotate(place=Coalesce(F("visit__group_visit_id"), F("visit_id")))
        .values("place")
        .annotate(
            sent=Count("pk", filter=Q(accepted_at__isnull=False)),
            delivered=Count("pk", filter=Q(state=SmsMessage.State.DELIVERED)),
        )
    )
    return {row["place"]: (row["sent"], row["delivered"]) for row in counted}


def _failing(ids: list[UUID]) -> set[UUID]:
    """Return the visits that a system kept somebody out of."""
    attempts = LaunchAttempt.objects.filter(visit_id__in=ids).exclude(error_code="")
    failed = {
        visit_id
        for visit_id, code in attempts.values_list("visit_id", "error_code")
        if visit_id and not code.startswith(_NOT_TECHNICAL)
    }
    unmade = Meeting.objects.filter(visit_id__in=ids, state=Meeting.State.CREATING).exclude(error_code="")
    return failed | set(unmade.values_list("visit_id", flat=True))


def _providers(ids: list[UUID]) -> dict[UUID, str]:
    """Return by visit the index of the first provider whose EHR user is known."""
    people = Participant.objects.filter(meeting__visit_id__in=ids, role=Participant.Role.PROVIDER)
    known = people.exclude(ehr_user_index="").order_by("-created_at", "-ordinal")
    return dict(known.values_list("meeting__visit_id", "ehr_user_index"))


def _joins(ids: Iterable[UUID]) -> dict[UUID, str]:
    made = Meeting.objects.filter(visit_id__in=ids).exclude(join_web_url=None)
    return {
        meeting.visit_id: join_index(meeting.organization_id, meeting.join_web_url)
        for meeting in made.only("pk", "organization_id", "visit_id", "join_web_url")
        if meeting.join_web_url
    }


def _differing(ids: Iterable[UUID]) -> set[UUID]:
    """Return the visits in whose meeting something happened that Epic has not been told, or not so."""
    ended = ledger.with_people(Meeting.objects.filter(visit_id__in=ids).exclude(ended_at=None))
    return {found.meeting.visit_id for found in ledger.differences(ended, now=_AT_LAST)}
