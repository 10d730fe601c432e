"""The visits behind the numbers, a page at a time or all of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from meetings.models import Participant
from reports.models import VisitFact
from reports.services.allocation import Limits, limits
from reports.services.asked import Asked, facts_of
from reports.services.sorting import Order, page

_CHUNK = 2_000
ORDER = Order(
    columns={
        "start": "starts_at",
        "status": "status",
        "department": "department",
        "visit_type": "visit_type",
        "lobby_wait": "lobby_wait",
        "duration": "duration",
        "peak": "peak",
        "total": "total",
        "gave_up": "gave_up",
        "texts_sent": "texts_sent",
        "texts_delivered": "texts_delivered",
    },
    usual="start",
    last="visit_id",
)
# All that a table or a file shows of what stands beside a fact; the rest of it takes longer to read than the fact.
_BESIDE = ("endpoint__name", "visit__reference", "visit__session_id", "visit__meeting__external_id")


@dataclass(frozen=True, kw_only=True)
class ReportedVisit:
    """A visit with its figures.

    :ivar provider: Epic's id of the first provider, '' where it is not known (any more).
    :ivar is_within_limit: None where the allocation says nothing about it.
    """

    fact: VisitFact
    provider: str
    is_within_limit: bool | None


def page_of(asked: Asked, *, sort: str = ORDER.newest_first, number: int = 1) -> list[ReportedVisit]:
    """Return one page of the visits asked for; the same queries whatever is on it."""
    return _reported(page(_sorted(asked, sort), number), limits(asked))


def all_of(asked: Asked, *, sort: str = ORDER.newest_first) -> Iterator[ReportedVisit]:
    """Yield every visit asked for, holding some thousands at a time."""
    boundaries = limits(asked)
    rows = _sorted(asked, sort).iterator(chunk_size=_CHUNK)
    while chunk := list(islice(rows, _CHUNK)):
        yield from _reported(chunk, boundaries)


def _sorted(asked: Asked, sort: str) -> QuerySet[VisitFact]:
    facts = ORDER.apply(facts_of(asked).select_related("visit__meeting", "endpoint"), sort)
    return facts.only(*(field.attname for field in VisitFact._meta.concrete_fields), *_BESIDE)


def _reported(facts: Iterable[VisitFact], boundaries: Limits) -> list[ReportedVisit]:
    listed = list(facts)
    providers = _providers([fact.visit_id for fact in listed])
    return [
        ReportedVisit(
            fact=fact,
            provider=providers.get(fact.visit_id, ""),
            is_within_limit=boundaries.allows(fact),
        )
        for fact in listed
    ]


def _providers(ids: list[UUID]) -> dict[UUID, str]:
    people = Participant.objects.filter(meeting__visit_id__in=ids, role=Participant.Role.PROVIDER)
    known = people.exclude(ehr_user_index="").select_related("meeting").order_by("-created_at", "-ordinal")
    return {person.meeting.visit_id: person.ehr_user_id for person in known.only("ehr_user_id", "meeting__visit_id")}
