"""The numbers of a report: from the sums of days, or from the visits themselves where no sum knows the filter."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from django.db import connection
from django.db.models import QuerySet, Sum

from reports.definitions import COUNTED, Status
from reports.models import Level, VisitDay
from reports.services.asked import Asked, facts_of
from reports.sketches import bucket_of, percentile

_SUMS = (
    "visits", "duration_sum", "lobby_waits", "lobby_wait_sum", "own_waits", "own_wait_sum", "gave_up", "peak_sum",
    "total_sum", "texts_sent", "texts_delivered",
)  # fmt: skip


class By(StrEnum):
    """What numbers are told apart by."""

    NOTHING = ""
    DAY = "day"
    ENDPOINT = "endpoint_id"
    DEPARTMENT = "department"
    VISIT_TYPE = "visit_type"


class Measure(StrEnum):
    """The lengths that have medians."""

    DURATION = "duration"
    LOBBY_WAIT = "lobby_wait"
    OWN_WAIT = "own_wait"


@dataclass
class Figures:
    """Numbers of some visits; lengths in seconds.

    Averages and percentiles of durations are over completed visits, of Microsoft's lobby wait over visits in which
    somebody was let in, of people's own waits over those people. None stands where there is nothing to average.
    """

    by_status: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    sketches: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def visits(self) -> int:
        """How many visits there are."""
        return self.by_status.total()

    @property
    def completed(self) -> int:
        """How many of them were completed."""
        return self.by_status[Status.COMPLETED]

    @property
    def completed_share(self) -> float | None:
        """Completed of those that are over, 0 to 1."""
        over = self.visits - self.by_status[Status.IN_PROGRESS]
        return self.completed / over if over else None

    @property
    def average_duration(self) -> float | None:
        """Average duration of completed visits."""
        return self.sums["duration_sum"] / self.completed if self.completed else None

    @property
    def average_lobby_wait(self) -> float | None:
        """Average of Microsoft's lobby wait."""
        return self._average("lobby_wait_sum", "lobby_waits")

    @property
    def average_own_wait(self) -> float | None:
        """Average of how long a person waited."""
        return self._average("own_wait_sum", "own_waits")

    @property
    def average_peak(self) -> float | None:
        """People in the call at one time, at most, on average of completed visits and all others."""
        return self.sums["peak_sum"] / self.visits if self.visits else None

    def percentile(self, measure: str, share: float) -> float | None:
        """Return the length that ``share`` of the values do not exceed, within 1%."""
        return percentile(self.sketches[measure], share)

    def add(self, other: "Figures") -> Self:
        """Add other visits to these."""
        self.by_status.update(other.by_status)
        self.sums.update(other.sums)
        for measure, counts in other.sketches.items():
            self.sketches[measure].update(counts)
        return self

    def _average(self, whole: str, parts: str) -> float | None:
        return self.sums[whole] / self.sums[parts] if self.sums[parts] else None


Grouped = dict[Any, Figures]


def figures(asked: Asked, by: By = By.NOTHING, *, with_sketches: bool = False) -> Grouped:
    """Return the numbers asked for, by the value of ``by`` (one entry with key '' for nothing); two queries at most.

    :param with_sketches: also what percentiles need.
    """
    if asked.provider:
        return _from_facts(asked, by)
    rows = _days(asked, by)
    keys = [by.value] if by else []
    grouped: Grouped = defaultdict(Figures)
    for row in rows.values(*keys, "status").annotate(**{f"all_{name}": Sum(name) for name in _SUMS}).order_by():
        found = grouped[row.get(by.value, "")]
        found.by_status[row["status"]] += row["all_visits"]
        found.sums.update({name: row[f"all_{name}"] for name in _SUMS})
    if with_sketches:
        _add_sketches(grouped, rows, by)
    return grouped


def total(grouped: Iterable[Figures]) -> Figures:
    """Return the numbers of all groups together."""
    whole = Figures()
    for part in grouped:
        whole.add(part)
    return whole


def _days(asked: Asked, by: By) -> QuerySet[VisitDay]:
    """Return the sums to add up: the coarsest that can still be told apart as asked."""
    level = Level.TOTAL.value
    if asked.department or by is By.DEPARTMENT:
        level |= Level.DEPARTMENT
    if asked.visit_type or by is By.VISIT_TYPE:
        level |= Level.VISIT_TYPE
    period = asked.period
    return VisitDay.objects.for_organization(asked.organization).filter(
        calendar=period.calendar,
        level=level,
        day__gte=period.first,
        day__lte=period.last,
        status__in=asked.statuses,
        **asked.dimensions,
    )


_SKETCHES = """
WITH wanted AS ({rows})
SELECT {key}, measure, bucket, sum(number)::bigint FROM wanted, LATERAL (
    SELECT 'duration' AS measure, * FROM unnest(duration_buckets, duration_counts) AS one (bucket, number)
    UNION ALL
    SELECT 'lobby_wait', * FROM unnest(lobby_wait_buckets, lobby_wait_counts) AS one (bucket, number)
    UNION ALL
    SELECT 'own_wait', * FROM unnest(own_wait_buckets, own_wait_counts) AS one (bucket, number)
) AS sketched GROUP BY 1, 2, 3
"""


def _add_sketches(grouped: Grouped, rows: QuerySet[VisitDay], by: By) -> None:
    columns = [f"{measure}_{part}" for measure in Measure for part in ("buckets", "counts")]
    sql, parameters = rows.order_by().values(*([by.value] if by else []), *columns).query.sql_with_params()
    # Our own statement around one that Django wrote, with its parameters.
    statement = _SKETCHES.format(rows=sql, key=by.value or "''")
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for key, measure, bucket, number in cursor.fetchall():
            grouped[key].sketches[measure][bucket] += number


def _from_facts(asked: Asked, by: By) -> Grouped:
    grouped: Grouped = defaultdict(Figures)
    columns = ("starts_at", "endpoint_id", "department", "visit_type", "status", "duration", "lobby_wait", "waits")
    counts = ("gave_up", "peak", "total", "texts_sent", "texts_delivered")
    for fact in facts_of(asked).values(*columns, *counts).iterator():
        _count(grouped[_key(fact, asked, by)], fact)
    return grouped


def _key(fact: dict[str, Any], asked: Asked, by: By) -> Hashable:
    if by is By.DAY:
        day: Hashable = fact["starts_at"].astimezone(asked.zone).date()
        return day
    return fact[by.value] if by else ""


def _count(found: Figures, fact: dict[str, Any]) -> None:
    found.by_status[fact["status"]] += 1
    waits = [] if fact["lobby_wait"] is None else [fact["lobby_wait"]]
    found.sums.update(
        visits=1,
        duration_sum=fact["duration"],
        lobby_waits=len(waits),
        lobby_wait_sum=sum(waits),
        own_waits=len(fact["waits"]),
        own_wait_sum=sum(fact["waits"]),
        gave_up=fact["gave_up"],
        peak_sum=fact["peak"],
        total_sum=fact["total"],
        texts_sent=fact["texts_sent"],
        texts_delivered=fact["texts_delivered"],
    )
    if fact["status"] == Status.COMPLETED:
        found.sketches[Measure.DURATION][bucket_of(fact["duration"])] += 1
    found.sketches[Measure.LOBBY_WAIT].update(map(bucket_of, waits))
    found.sketches[Measure.OWN_WAIT].update(map(bucket_of, fact["waits"]))


def values_of(asked: Asked, by: By) -> list[str]:
    """Return the departments or visit types that occur in the period, whatever else is asked for."""
    level = Level.DEPARTMENT if by is By.DEPARTMENT else Level.VISIT_TYPE
    period = asked.period
    rows = VisitDay.objects.for_organization(asked.organization).filter(
        calendar=period.calendar, level=level, day__gte=period.first, day__lte=period.last, status__in=COUNTED
    )
    found = rows.order_by(by.value).values_list(by.value, flat=True).distinct()
    return [value for value in found if value]
