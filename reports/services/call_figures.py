"""The numbers of the Call quality tab."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from launch.models import DeviceTest
from reports.models import CallRecord, CallStream
from reports.quality import Verdict
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


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Streams by verdict, by day and by where they came from; visits with at least one poor stream."""

    visits: int
    poor_visits: int
    streams: Counter[str]
    by_day: Mapping[date, Counter[str]]
    due_to: Counter[str] = field(default_factory=Counter)


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


def records_of(asked: Asked) -> QuerySet[CallRecord]:
    """Return the calls of the visits that are asked for."""
    since, until = asked.period.moments(asked.zone)
    found = CallRecord.objects.for_organization(asked.organization).filter(started_at__gte=since, started_at__lt=until)
    if asked.status in _VERDICTS:
        found = found.filter(**{f"{asked.status}__gt": 0})
    if asked.provider:
        found = found.filter(visit__fact__provider_index=asked.provider_index)
    return found.filter(**{f"visit__{name}": value for name, value in asked.dimensions.items()})


def sorted_calls(asked: Asked, sort: str = ORDER.newest_first) -> QuerySet[CallRecord]:
    """Return the calls with their visits and streams, newest first unless another order is chosen."""
    return ORDER.apply(records_of(asked).select_related("visit__endpoint").prefetch_related("streams"), sort)


def quality(asked: Asked) -> Quality:
    """Return the numbers of the period."""
    records = records_of(asked)
    sums = {str(verdict): Sum(str(verdict)) for verdict in _VERDICTS}
    counts = records.aggregate(
        visits=Count("visit", distinct=True), poor_visits=Count("visit", distinct=True, filter=Q(poor__gt=0)), **sums
    )
    days: dict[date, Counter[str]] = {}
    daily = records.annotate(day=TruncDate("started_at", tzinfo=asked.zone)).values("day").annotate(**sums).order_by()
    for day, *found in daily.values_list("day", *map(str, _VERDICTS)):
        days[day] = Counter(dict(zip(map(str, _VERDICTS), (count or 0 for count in found), strict=True)))
    return Quality(
        visits=counts["visits"],
        poor_visits=counts["poor_visits"],
        streams=Counter({str(verdict): counts[str(verdict)] or 0 for verdict in _VERDICTS}),
        by_day=days,
        due_to=_due_to(asked),
    )


def _due_to(asked: Asked) -> Counter[str]:
    poor = CallStream.objects.filter(record__in=records_of(asked), verdict=Verdict.POOR)
    found: Counter[str] = Counter()
    for row in poor.values("due_to").annotate(streams=Count("pk")).order_by():
        for reason in row["due_to"]:
            found[reason] += row["streams"]
    return found


GROUPS: Mapping[str, str] = {
    "department": "record__visit__department",
    "platform": "platform",
    "product": "product",
    "network": "network",
    "kind": "kind",
}


def streams_by(asked: Asked, group: str) -> dict[str, Counter[str]]:
    """Return verdicts by department, platform, product, network or kind of stream; empty where Teams does not say."""
    column = GROUPS[group]
    streams = CallStream.objects.filter(record__in=records_of(asked))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in streams.values(column, "verdict").annotate(streams=Count("pk")).order_by():
        found[row[column]][row["verdict"]] += row["streams"]
    return dict(found)


def tests_against_quality(asked: Asked) -> list[TestedVisits]:
    """Return for each check of the device test, and each result, how many visits then had poor streams.

    Only visits with a call record count, by their last test, and only streams of people from outside.
    """
    poor = CallStream.objects.filter(record__visit=OuterRef("visit"), verdict=Verdict.POOR, is_staff=False)
    tests = DeviceTest.objects.for_organization(asked.organization).filter(visit__in=records_of(asked).values("visit"))
    last = tests.order_by("visit", "-created_at").distinct("visit").annotate(was_poor=Exists(poor))
    counts: Counter[tuple[str, str, bool]] = Counter()
    for row in last.values(*DeviceTest.CHECKS, "was_poor"):
        counts.update((check, row[check], row["was_poor"]) for check in DeviceTest.CHECKS)
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
