"""The monthly allocation: how many completed production visits the hospital's Microsoft licences cover.

Microsoft's EHR report has a flag *Within limit* for every appointment. We count completed visits of production in
their order of start, from the first of each month in the calendar of the report.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet, Sum

from reports.definitions import Status
from reports.models import Calendar, Level, ReportSettings, VisitDay, VisitFact
from reports.services.asked import Asked, Period
from reports.services.rolling import zone_of

Month = tuple[int, int]


@dataclass(frozen=True)
class Limits:
    """By month the first completed production visit beyond the allocation; months without one are all within."""

    asked: Asked
    allocation: int | None = None
    beyond: dict[Month, datetime] = field(default_factory=dict)

    def allows(self, fact: VisitFact) -> bool | None:
        """Return whether the visit is within the limit; None where no limit applies to it."""
        if self.allocation is None or not fact.is_production or fact.status != Status.COMPLETED:
            return None
        local = fact.starts_at.astimezone(self.asked.zone)
        first_beyond = self.beyond.get((local.year, local.month))
        return first_beyond is None or fact.starts_at < first_beyond


@dataclass(frozen=True, kw_only=True)
class MonthUsage:
    """How much of the allocation the current month has used."""

    completed: int
    allocation: int | None

    @property
    def remaining(self) -> int | None:
        """How many are left; None without a limit."""
        return None if self.allocation is None else max(self.allocation - self.completed, 0)


def limits(asked: Asked) -> Limits:
    """Return the limits of every month that the period touches."""
    allocation = _allocation(asked)
    if allocation is None:
        return Limits(asked)
    beyond = {}
    counts = _completed_by_month(asked)
    for month, completed in counts.items():
        if completed > allocation:
            beyond[month] = _first_beyond(asked, month, allocation)
    return Limits(asked, allocation, beyond)


def month_usage(asked: Asked, *, now: datetime) -> MonthUsage:
    """Return what the month of ``now`` has used."""
    today = now.astimezone(asked.zone).date()
    found = _completed(asked, _whole_month(asked, today)).aggregate(whole=Sum("visits"))["whole"]
    return MonthUsage(completed=found or 0, allocation=_allocation(asked))


def _allocation(asked: Asked) -> int | None:
    chosen = ReportSettings.objects.filter(organization=asked.organization)
    return chosen.values_list("monthly_allocation", flat=True).first()


def _completed_by_month(asked: Asked) -> dict[Month, int]:
    first, last = asked.period.first.replace(day=1), _end_of_month(asked.period.last)
    whole = Period(first=first, last=last, calendar=asked.period.calendar)
    found: dict[Month, int] = {}
    for row in _completed(asked, whole).values("day__year", "day__month").annotate(whole=Sum("visits")).order_by():
        found[row["day__year"], row["day__month"]] = row["whole"]
    return found


def _completed(asked: Asked, period: Period) -> QuerySet[VisitDay]:
    return VisitDay.objects.for_organization(asked.organization).filter(
        calendar=period.calendar,
        level=Level.TOTAL,
        day__gte=period.first,
        day__lte=period.last,
        status=Status.COMPLETED,
        endpoint__environment="production",
    )


def _first_beyond(asked: Asked, month: Month, allocation: int) -> datetime:
    period = _whole_month(asked, date(*month, 1))
    since, until = period.moments(zone_of(asked.organization, Calendar(period.calendar)))
    completed = VisitFact.objects.for_organization(asked.organization).starting_between(since, until)
    ordered = completed.filter(status=Status.COMPLETED, is_production=True).order_by("starts_at")
    return ordered.values_list("starts_at", flat=True)[allocation]


def _whole_month(asked: Asked, day: date) -> Period:
    return Period(first=day.replace(day=1), last=_end_of_month(day), calendar=asked.period.calendar)


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
