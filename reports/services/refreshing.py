"""Keep facts and sums up to date with what happens, within seconds.

Triggers note what changed (:class:`reports.models.Change`); one worker at a time uses the notes up. A note and what
it tells of are committed together, so whoever takes the note sees the news.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction

from config_portal.models import Organization
from core.locks import only_one
from meetings.models import Participant
from reports.models import Change, Freshness, VisitFact
from reports.services import call_sums, facts, rolling
from reports.services.facts import Moved
from visits.models import Visit

BATCH = 2_000
_LOCK = uuid5(UUID(int=0), "reports.refresh")
_TAKE = """
DELETE FROM reports_change WHERE id IN (SELECT id FROM reports_change ORDER BY id LIMIT %s) RETURNING kind, key, at
"""

Note = tuple[str, UUID, datetime | None]


def refresh(*, now: datetime) -> bool:
    """Take everything in that has happened; False when another worker is at it."""
    with only_one(_LOCK) as is_mine:
        if not is_mine:
            return False
        while _take_in_changes(now=now) or _review(now=now):
            pass
        rolling.roll_where_zones_changed()
        Freshness.objects.update_or_create(defaults={"at": now})
    return True


def as_of() -> datetime | None:
    """Return up to when everything that happened is in the figures."""
    return Freshness.objects.values_list("at", flat=True).first()


@transaction.atomic
def _take_in_changes(*, now: datetime) -> bool:
    """Use up a batch of notes; False when there was none."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [BATCH])
        notes: list[Note] = cursor.fetchall()
    if notes:
        moved = facts.update(_visits_of(notes), now=now)
        _roll(moved | _texts_moved(notes))
        _take_in_calls(notes)
    return bool(notes)


@transaction.atomic
def _review(*, now: datetime) -> bool:
    """Look again at visits whose time has passed; False when there was none."""
    due = VisitFact.objects.filter(review_at__lte=now).values_list("visit_id", flat=True)[:BATCH]
    ids = set(due)
    if ids:
        _roll(facts.update(ids, now=now))
    return bool(ids)


def _visits_of(notes: Iterable[Note]) -> set[UUID]:
    """Return the visits that notes are about, with those in which their groups meet."""
    keys: dict[str, set[UUID]] = defaultdict(set)
    for kind, key, _ in notes:
        keys[kind].add(key)
    named = keys[Change.Kind.VISIT] | keys[Change.Kind.TEXT]
    people = Participant.objects.filter(pk__in=keys[Change.Kind.PARTICIPANT])
    met = set(people.values_list("meeting__visit_id", flat=True))
    grouped = Visit.objects.filter(pk__in=named).exclude(group_visit=None)
    return named | met | {place for place in grouped.values_list("group_visit_id", flat=True) if place}


def _texts_moved(notes: Iterable[Note]) -> set[Moved]:
    dated = [(key, at) for kind, key, at in notes if kind == Change.Kind.TEXT and at is not None]
    owners = dict(Visit.objects.filter(pk__in={key for key, _ in dated}).values_list("pk", "organization_id"))
    return {Moved(owners[key], at) for key, at in dated if key in owners}


def _take_in_calls(notes: Iterable[Note]) -> None:
    """Sum the days anew that calls are in or have left; a visit's calls are told together, so all of them are."""
    visits = {key for kind, key, _ in notes if kind == Change.Kind.CALLS}
    if visits:
        call_sums.note_repeated(visits)
    moments = call_sums.times_of(visits)
    for kind, key, at in notes:
        if kind == Change.Kind.CALL_TIME and at is not None:
            moments[key].append(at)
    _roll_days(moments, rolling.CALLS)


def _roll(moved: Iterable[Moved]) -> None:
    moments: dict[UUID, list[datetime]] = defaultdict(list)
    for one in moved:
        moments[one.organization_id].append(one.at)
    _roll_days(moments, rolling.VISITS_AND_TEXTS)


def _roll_days(moments: Mapping[UUID, Iterable[datetime]], sums: Iterable[rolling.Day]) -> None:
    for organization in Organization.objects.filter(pk__in=moments).order_by("pk"):
        rolling.roll(organization, moments[organization.pk], sums)
