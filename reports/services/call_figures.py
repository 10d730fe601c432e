"""The numbers of the Call quality tab: from the sums of days, or from the calls themselves for a single provider.

Sums count calls. Where visits are told, those that had several calls among the ones that are asked for are counted
once (:class:`reports.models.RepeatedCall`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Prefetch, Q, QuerySet

from launch.models import DeviceTest
from reports.models import CallRecord, CallStream, Level, RepeatedCall, VisitFact
from reports.quality import Verdict
from reports.services import call_sums
from reports.services.asked import Asked
from reports.services.sorting import Order

ORDER = Order(
    columns={
        "started": "started_at",
        "ended": "ended_at",
        "department": "visit__department",
        "visit_type": "visit__visit_type",
        "good": "good",
        "poor": "poor",
        "unclassified": "unclassified",
    },
    usual="started",
    last="pk",
)
_VERDICTS = (Verdict.GOOD, Verdict.POOR, Verdict.UNCLASSIFIED)
_DEPARTMENT = "department"
GROUPS = (_DEPARTMENT, "platform", "product", "network", "kind")

_OF_DAYS = """
SELECT * FROM reports_callday
 WHERE organization_id = %(organization)s AND calendar = %(calendar)s AND day BETWEEN %(first)s AND %(last)s
"""
_OF_PROVIDER = call_sums.select("""record.visit_id IN (
    SELECT visit_id FROM reports_visitfact
     WHERE organization_id = %(organization)s AND provider_index = %(provider)s
)""")
_TOLD = """
WITH told AS (SELECT * FROM ({source}) AS summed WHERE level = %(level)s {wanted})
SELECT {key}, sum(calls)::bigint, coalesce(sum(calls) FILTER (WHERE has_poor), 0)::bigint, sum(good)::bigint,
       sum(poor)::bigint, sum(unclassified)::bigint
  FROM told GROUP BY 1
"""
_PARTS = """
WITH told AS (SELECT * FROM ({source}) AS summed WHERE level = %(level)s {wanted})
SELECT aspect, name, sum(good_count)::bigint, sum(poor_count)::bigint, sum(unclassified_count)::bigint
  FROM told, unnest(aspects, names, good_counts, poor_counts, unclassified_counts)
    AS part (aspect, name, good_count, poor_count, unclassified_count)
 GROUP BY 1, 2
"""
_SURPLUS = """
SELECT results, had_trouble, sum(calls - 1)::bigint, sum(greatest(poor_calls - 1, 0))::bigint
  FROM ({visits}) AS visit GROUP BY 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class TestedVisits:
    """Visits whose device test ended so in one check, and in how many of them a patient's stream was poor."""

    check: str
    result: str
    visits: int
    poor_visits: int

    @property
    def share(self) -> float | None:
        """Which share of the visits had trouble, 0 to 1."""
        return self.poor_visits / self.visits if self.visits else None


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Calls; visits, and those with at least one poor stream; streams by verdict.

    :ivar by_day: streams by day and verdict. :ivar due_to: poor streams by reason, of which one may have several.
    :ivar groups: streams by what was asked for and verdict; the name is empty where Teams does not say.
    :ivar tests: for each check of the device test, and each result, how many visits then had poor streams. Only visits
        with a call record count, by their last test, and only streams of people from outside.
    """

    calls: int
    visits: int
    poor_visits: int
    streams: Counter[str]
    by_day: Mapping[date, Counter[str]]
    due_to: Counter[str] = field(default_factory=Counter)
    groups: Mapping[str, Counter[str]] = field(default_factory=dict)
    tests: Sequence[TestedVisits] = ()


def records_of(asked: Asked) -> QuerySet[CallRecord]:
    """Return the calls of the visits that are asked for."""
    since, until = asked.period.moments(asked.zone)
    found = CallRecord.objects.for_organization(asked.organization).filter(started_at__gte=since, started_at__lt=until)
    if asked.status in _VERDICTS:
        found = found.filter(**{f"{asked.status}__gt": 0})
    if asked.provider:
        # As a list: else the visit of every call is looked up until a page is full.
        facts = VisitFact.objects.for_organization(asked.organization).filter(provider_index=asked.provider_index)
        found = found.filter(visit_id__in=list(facts.values_list("visit_id", flat=True)))
    return found.filter(**{f"visit__{name}": value for name, value in asked.dimensions.items()})


def sorted_calls(asked: Asked, sort: str = ORDER.newest_first) -> QuerySet[CallRecord]:
    """Return the calls with their visits and streams, newest first unless another order is chosen."""
    streams = Prefetch("streams", CallStream.objects.defer("measures"))
    return ORDER.apply(records_of(asked).select_related("visit__endpoint").prefetch_related(streams), sort)


def quality(asked: Asked, by: str = "platform") -> Quality:
    """Return the numbers of the period.

    :param by: what streams are told apart by in ``groups``, one of :data:`GROUPS`.
    """
    days: dict[date, Counter[str]] = {}
    calls = poor_calls = 0
    for day, count, with_poor, streams in _told(asked, "day"):
        days[day] = streams
        calls, poor_calls = calls + count, poor_calls + with_poor
    parts, surplus = _parts(asked), _surplus(asked)
    return Quality(
        calls=calls,
        visits=calls - sum(one.calls for one in surplus),
        poor_visits=poor_calls - sum(one.poor_calls for one in surplus),
        streams=sum(days.values(), Counter()),
        by_day=days,
        due_to=Counter({reason: counts[Verdict.POOR] for reason, counts in parts["due_to"].items()}),
        groups={name: streams for name, _, _, streams in _told(asked, by)} if by == _DEPARTMENT else parts[by],
        tests=_tests(parts, surplus),
    )


_Parts = Mapping[str, Mapping[str, Counter[str]]]


@dataclass(frozen=True)
class _Surplus:
    """How many more calls than visits there are, and calls with a poor stream than visits with one."""

    results: list[str]
    had_trouble: bool
    calls: int
    poor_calls: int


def _tests(parts: _Parts, surplus: Iterable[_Surplus]) -> list[TestedVisits]:
    counts: Counter[tuple[str, str, bool]] = Counter()
    for check in DeviceTest.CHECKS:
        for result, found in parts[f"{call_sums.TEST}{check}"].items():
            counts[check, result, True] += found[Verdict.POOR]
            counts[check, result, False] += found[Verdict.GOOD]
    for one in surplus:
        for check, result in zip(DeviceTest.CHECKS, one.results, strict=False):
            counts[check, result, one.had_trouble] -= one.calls
    return [
        TestedVisits(
            check=check,
            result=result,
            visits=counts[check, result, True] + counts[check, result, False],
            poor_visits=counts[check, result, True],
        )
        for check in DeviceTest.CHECKS
        for result in DeviceTest.Result.values
        if counts[check, result, True] or counts[check, result, False]
    ]


def _told(asked: Asked, key: str) -> Iterable[tuple[Any, int, int, Counter[str]]]:
    """Yield for each value of ``key``: calls, calls with a poor stream, and streams by verdict."""
    for value, calls, poor_calls, *streams in _rows(asked, _TOLD, key=key):
        yield value, calls, poor_calls, _by_verdict(streams)


def _parts(asked: Asked) -> _Parts:
    """Return by aspect and name how many were good, poor and unclassified, as :class:`reports.models.CallDay` says."""
    found: dict[str, dict[str, Counter[str]]] = defaultdict(dict)
    for aspect, name, *counts in _rows(asked, _PARTS):
        found[aspect][name] = _by_verdict(counts)
    return found


def _by_verdict(counts: Iterable[int]) -> Counter[str]:
    return Counter(dict(zip(map(str, _VERDICTS), counts, strict=True)))


def _rows(asked: Asked, statement: str, *, key: str = "") -> list[tuple[Any, ...]]:
    """Add up the sums that are asked for: the coarsest that can still be told apart so."""
    level = Level.TOTAL.value
    if asked.department or key == _DEPARTMENT:
        level |= Level.DEPARTMENT
    if asked.visit_type:
        level |= Level.VISIT_TYPE
    since, until = asked.period.moments(asked.zone)
    wanted = asked.dimensions | _has(asked)
    source = _OF_PROVIDER if asked.provider else _OF_DAYS
    conditions = "".join(f" AND {name} = %({name})s" for name in wanted)
    with call_sums.uncompiled() as cursor:
        cursor.execute(
            statement.format(source=source, wanted=conditions, key=key),
            {
                **wanted, "level": level, "organization": asked.organization.pk, "calendar": asked.period.calendar,
                "first": asked.period.first, "last": asked.period.last, "since": since, "until": until,
                "zone": asked.zone.key, "provider": asked.provider_index,
            },
        )  # fmt: skip
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _has(asked: Asked) -> dict[str, object]:
    """Return the filter for :attr:`Asked.status`: calls with at least one stream of that verdict."""
    return {f"has_{asked.status}": True} if asked.status in _VERDICTS else {}


def _surplus(asked: Asked) -> list[_Surplus]:
    """Return what sums count too much, by how the visits' device tests ended and whether they had trouble."""
    since, until = asked.period.moments(asked.zone)
    repeated = RepeatedCall.objects.for_organization(asked.organization).filter(
        started_at__gte=since, started_at__lt=until, **asked.dimensions, **_has(asked)
    )
    if asked.provider:
        repeated = repeated.filter(visit__fact__provider_index=asked.provider_index)
    calls = repeated.values("visit", "results", "had_trouble").annotate(
        calls=Count("pk"), poor_calls=Count("pk", filter=Q(has_poor=True))
    )
    sql, parameters = calls.filter(calls__gt=1).order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        # Our own statement around one that Django wrote, with its parameters.
        cursor.execute(_SURPLUS.format(visits=sql), parameters)
        return [_Surplus(*row) for row in cursor.fetchall()]
