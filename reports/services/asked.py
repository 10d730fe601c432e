"""What a person wants to see: a period, whose midnights, and which visits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from config_portal.models import Organization
from meetings.services.participants import ehr_user_index_in
from reports.definitions import COUNTED
from reports.models import Calendar, VisitFact
from reports.models.facts import VisitFactQuerySet
from reports.services.rolling import bounds, zone_of

LONGEST_DAYS = 400
RANGES = (7, 30, 90)
USUAL_DAYS = 30
CUSTOM = "custom"


@dataclass(frozen=True, kw_only=True)
class Period:
    """Whole days from ``first`` to ``last``, both included, of one calendar."""

    first: date
    last: date
    calendar: str = Calendar.LOCAL

    @property
    def days(self) -> list[date]:
        """Every day, in order."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return when it begins, and when the day after it begins."""
        return bounds(self.first, zone)[0], bounds(self.last, zone)[1]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A period, and the visits to look at; what is empty leaves nothing out.

    :ivar provider: Epic's id of a clinician.
    """

    organization: Organization
    period: Period
    endpoint_id: UUID | None = None
    department: str = ""
    visit_type: str = ""
    status: str = ""
    provider: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days begin and times are told."""
        return zone_of(self.organization, self.period.calendar)

    @property
    def statuses(self) -> tuple[str, ...]:
        """Which statuses are looked at."""
        return (self.status,) if self.status else tuple(COUNTED)

    @property
    def dimensions(self) -> dict[str, object]:
        """The filters that facts and days have in common, by column."""
        wanted = {"endpoint_id": self.endpoint_id, "department": self.department, "visit_type": self.visit_type}
        return {name: value for name, value in wanted.items() if value}

    @property
    def provider_index(self) -> str:
        """The index that :attr:`provider` is found by; '' without one."""
        return ehr_user_index_in(self.organization.pk, self.provider) if self.provider else ""


def facts_of(asked: Asked) -> VisitFactQuerySet:
    """Return the visits that are asked for."""
    found = VisitFact.objects.for_organization(asked.organization).starting_between(*asked.period.moments(asked.zone))
    if asked.provider:
        found = found.filter(provider_index=asked.provider_index)
    return found.filter(status__in=asked.statuses, **asked.dimensions)


def recent(organization: Organization, *, days: int, now: datetime, calendar: str = Calendar.LOCAL) -> Period:
    """Return the last ``days`` days, today included."""
    today = now.astimezone(zone_of(organization, calendar)).date()
    return Period(first=today - timedelta(days=days - 1), last=today, calendar=calendar)


def understand(given: Mapping[str, str], organization: Organization, *, now: datetime) -> Asked:
    """Return what the choices of an address ask for; what cannot be understood is left out.

    :param given: ``days`` (7, 30, 90 or custom), ``since``, ``until``, ``calendar``, ``endpoint``, ``department``,
        ``visit_type``, ``status``, ``provider``.
    """
    return Asked(
        organization=organization,
        period=period_of(given, organization, now=now),
        endpoint_id=_uuid(given.get("endpoint", "")),
        department=given.get("department", ""),
        visit_type=given.get("visit_type", ""),
        status=given.get("status", ""),
        provider=given.get("provider", "").strip(),
    )


def period_of(given: Mapping[str, str], organization: Organization, *, now: datetime) -> Period:
    """Return the period that ``given`` names, the usual one where it names none that can be shown."""
    calendar = Calendar.UTC if given.get("calendar") == Calendar.UTC else Calendar.LOCAL
    days = given.get("days", "")
    if days == CUSTOM:
        since, until = _day(given.get("since", "")), _day(given.get("until", ""))
        if since and until and 0 <= (until - since).days < LONGEST_DAYS:
            return Period(first=since, last=until, calendar=calendar)
    chosen = int(days) if days in {str(offered) for offered in RANGES} else USUAL_DAYS
    return recent(organization, days=chosen, now=now, calendar=calendar)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
