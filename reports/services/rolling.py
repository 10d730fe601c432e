"""Sum days anew: whatever came late, a day's sums are always those of its facts.

A day is summed by one statement for its visits, one for its texts and one for its calls, at every level at once.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F

from config_portal.models import Organization
from reports.definitions import Status
from reports.models import Calendar, CallDay, Level, RolledOrganization, TextDay, VisitDay
from reports.services import call_sums
from reports.sketches import BUCKET_SQL

_KEY = "level, endpoint_id, department, visit_type, status"


def _sketched(name: str, column: str, source: str, condition: str) -> str:
    """Return the part of the statement that makes the sketch of one length."""
    return f"""
    {name} AS (
        SELECT {_KEY}, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(values ORDER BY bucket) AS counts
          FROM (SELECT {_KEY}, {BUCKET_SQL.format(column)} AS bucket, count(*) AS values
                  FROM {source} WHERE {condition} GROUP BY {_KEY}, bucket) AS counted
         GROUP BY {_KEY}
    )"""  # noqa: S608 - our own words only


_VISITS = f"""
WITH fact AS MATERIALIZED (
    SELECT level, endpoint_id, status, duration, lobby_wait, waits, gave_up, peak, total, texts_sent, texts_delivered,
           CASE WHEN level & 1 = 1 THEN department ELSE '' END AS department,
           CASE WHEN level & 2 = 2 THEN visit_type ELSE '' END AS visit_type
      FROM reports_visitfact CROSS JOIN (VALUES (0), (1), (2), (3)) AS levels (level)
     WHERE organization_id = %(organization)s AND starts_at >= %(since)s AND starts_at < %(until)s
       AND status <> '{Status.SCHEDULED}'
), wait AS (
    SELECT {_KEY}, unnest(waits) AS seconds FROM fact
), summed AS (
    SELECT {_KEY}, count(*) AS visits, sum(duration) AS duration, count(lobby_wait) AS lobby_waits,
           coalesce(sum(lobby_wait), 0) AS lobby_wait, sum(gave_up) AS gave_up, sum(peak) AS peak, sum(total) AS total,
           sum(texts_sent) AS texts_sent, sum(texts_delivered) AS texts_delivered
      FROM fact GROUP BY {_KEY}
), own AS (
    SELECT {_KEY}, count(*) AS waits, sum(seconds) AS seconds FROM wait GROUP BY {_KEY}
), {_sketched("durations", "duration", "fact", f"status = '{Status.COMPLETED}'")}, {
    _sketched("lobby_waits", "lobby_wait", "fact", "lobby_wait IS NOT NULL")
}, {_sketched("own_waits", "seconds", "wait", "TRUE")}
INSERT INTO reports_visitday (
    organization_id, calendar, day, level, endpoint_id, department, visit_type, status, visits, duration_sum,
    lobby_waits, lobby_wait_sum, own_waits, own_wait_sum, gave_up, peak_sum, total_sum, texts_sent, texts_delivered,
    duration_buckets, duration_counts, lobby_wait_buckets, lobby_wait_counts, own_wait_buckets, own_wait_counts
)
SELECT %(organization)s, %(calendar)s, %(day)s, {_KEY}, visits, duration, summed.lobby_waits, lobby_wait,
       coalesce(own.waits, 0), coalesce(own.seconds, 0), gave_up, peak, total, texts_sent, texts_delivered,
       coalesce(durations.buckets, '{{}}'), coalesce(durations.counts, '{{}}'),
       coalesce(lobby.buckets, '{{}}'), coalesce(lobby.counts, '{{}}'),
       coalesce(own_waits.buckets, '{{}}'), coalesce(own_waits.counts, '{{}}')
  FROM summed
  LEFT JOIN own USING ({_KEY})
  LEFT JOIN durations USING ({_KEY})
  LEFT JOIN lobby_waits AS lobby USING ({_KEY})
  LEFT JOIN own_waits USING ({_KEY})
"""  # noqa: S608 - our own words only

_TEXTS = """
INSERT INTO reports_textday (
    organization_id, calendar, day, level, endpoint_id, department, visit_type, kind, supplier, state, status,
    texts, segments, attempts
)
SELECT %(organization)s, %(calendar)s, %(day)s, level, visit.endpoint_id,
       CASE WHEN level = 3 THEN visit.department ELSE '' END,
       CASE WHEN level = 3 THEN visit.visit_type ELSE '' END,
       text.kind, text.supplier, text.state, text.report_status, count(*), sum(text.segments), sum(text.attempts)
  FROM sms_smsmessage AS text JOIN visits_visit AS visit ON visit.id = text.visit_id
 CROSS JOIN (VALUES (0), (3)) AS levels (level)
 WHERE text.organization_id = %(organization)s AND text.due_at >= %(since)s AND text.due_at < %(until)s
   AND text.state NOT IN ('pending', 'sending')
 GROUP BY 4, 5, 6, 7, 8, 9, 10, 11
"""

Day = type[VisitDay] | type[TextDay] | type[CallDay]
_STATEMENTS: Mapping[Day, str] = {VisitDay: _VISITS, TextDay: _TEXTS, CallDay: call_sums.INTO_DAYS}
VISITS_AND_TEXTS: tuple[Day, ...] = (VisitDay, TextDay)
CALLS: tuple[Day, ...] = (CallDay,)

_DAYS = """
SELECT DISTINCT (starts_at AT TIME ZONE %(zone)s)::date FROM reports_visitfact WHERE organization_id = %(organization)s
UNION
SELECT DISTINCT (due_at AT TIME ZONE %(zone)s)::date FROM sms_smsmessage WHERE organization_id = %(organization)s
UNION
SELECT DISTINCT (started_at AT TIME ZONE %(zone)s)::date FROM reports_callrecord
 WHERE organization_id = %(organization)s
"""


def zone_of(organization: Organization, calendar: str) -> ZoneInfo:
    """Return the zone in which the days of ``calendar`` begin."""
    return ZoneInfo("UTC" if calendar == Calendar.UTC else organization.time_zone)


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when ``day`` begins in ``zone`` and when the next one does: 23, 24 or 25 hours later."""
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


@transaction.atomic
def roll(organization: Organization, moments: Iterable[datetime], sums: Iterable[Day]) -> None:
    """Make ``sums`` anew of every day, in both calendars, that one of ``moments`` lies in."""
    listed = list(moments)
    for calendar in Calendar.values:
        zone = zone_of(organization, calendar)
        for day in sorted({moment.astimezone(zone).date() for moment in listed}):
            for model in sums:
                of_day = model.objects.for_organization(organization).filter(calendar=calendar, day=day)
                of_day.filter(level__in=Level.values).delete()  # the index has the level before the day
            _sum_day(organization, calendar, day, sums)


def roll_where_zones_changed() -> None:
    """Sum all local days anew of organizations that are new here or have another time zone than before."""
    right = RolledOrganization.objects.filter(time_zone=F("organization__time_zone"))
    for organization in Organization.objects.exclude(pk__in=right.values("organization")):
        roll_everything(organization)


@transaction.atomic
def roll_everything(organization: Organization) -> None:
    """Sum every day of ``organization`` anew."""
    for calendar in Calendar.values:
        zone = zone_of(organization, calendar)
        for model in _STATEMENTS:
            model.objects.filter(organization=organization, calendar=calendar).delete()
        for day in _days_of(organization.pk, zone):
            _sum_day(organization, calendar, day, _STATEMENTS)
    call_sums.note_all_repeated(organization)
    RolledOrganization.objects.update_or_create(
        organization=organization, defaults={"time_zone": organization.time_zone}
    )


def _sum_day(organization: Organization, calendar: str, day: date, sums: Iterable[Day]) -> None:
    zone = zone_of(organization, calendar)
    since, until = bounds(day, zone)
    values: dict[str, Any] = {
        "organization": organization.pk,
        "calendar": calendar,
        "zone": zone.key,
        "day": day,
        "since": since,
        "until": until,
    }
    with call_sums.uncompiled() as cursor:
        for model in sums:
            cursor.execute(_STATEMENTS[model], values)


def _days_of(organization_id: UUID, zone: ZoneInfo) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"organization": organization_id, "zone": zone.key})
        return sorted(day for (day,) in cursor.fetchall())
