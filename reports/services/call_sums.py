"""How calls are summed: by day for :class:`reports.models.CallDay`, or on the spot for a single provider."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config_portal.models import Organization
from launch.models import DeviceTest
from reports.models import CallRecord, RepeatedCall
from reports.quality import Verdict

TEST = "test."
_CHECKS = ", ".join(f"'{TEST}{check}'" for check in DeviceTest.CHECKS)
_RESULTS = ", ".join(f"test.{check}" for check in DeviceTest.CHECKS)

# One row for each call; the patient's trouble and the last device test are those of its visit, whichever call it is.
_CALL = f"""
SELECT record.id, record.organization_id, record.visit_id, record.started_at, visit.endpoint_id, visit.department,
       visit.visit_type, record.good, record.poor, record.unclassified, record.good > 0 AS has_good,
       record.poor > 0 AS has_poor, record.unclassified > 0 AS has_unclassified,
       EXISTS (
           SELECT FROM reports_callrecord AS one JOIN reports_callstream AS stream ON stream.record_id = one.id
            WHERE one.visit_id = record.visit_id AND stream.verdict = '{Verdict.POOR}' AND NOT stream.is_staff
       ) AS had_trouble,
       (SELECT ARRAY[{_RESULTS}] FROM launch_devicetest AS test WHERE test.visit_id = record.visit_id
         ORDER BY test.created_at DESC, test.id LIMIT 1) AS results
  FROM reports_callrecord AS record JOIN visits_visit AS visit ON visit.id = record.visit_id
"""  # noqa: S608 - our own words only

_HAS = "has_good, has_poor, has_unclassified"
_TOTAL = f"day, endpoint_id, {_HAS}"
_BOTH = f"{_TOTAL}, department, visit_type"
_KEY = f"level, {_BOTH}"
# The levels of :class:`reports.models.Level`; calls that not even the finest tells apart share a box.
_LEVELS = (_TOTAL, f"{_TOTAL}, department", f"{_TOTAL}, visit_type", _BOTH)
_GROUPED = f"""
1 - grouping(department) + 2 * (1 - grouping(visit_type)) AS level, {_TOTAL},
coalesce(department, '') AS department, coalesce(visit_type, '') AS visit_type
"""
COLUMNS = f"{_KEY}, calls, good, poor, unclassified, aspects, names, good_counts, poor_counts, unclassified_counts"


def _counted(verdict: str) -> str:
    return f"count(*) FILTER (WHERE verdict = '{verdict}') AS {verdict}"


def select(condition: str = "TRUE") -> str:
    """Return the statement that sums calls by day at every level, with the columns :data:`COLUMNS`.

    It takes ``organization``, ``zone`` (whose midnights), ``since`` and ``until``. :param condition: on
    ``record``, in SQL of our own.
    """
    return f"""
WITH call AS MATERIALIZED (
    SELECT *, dense_rank() OVER (ORDER BY {_BOTH}) AS box FROM (
        SELECT *, (started_at AT TIME ZONE %(zone)s)::date AS day FROM ({_CALL}
         WHERE record.organization_id = %(organization)s AND record.started_at >= %(since)s
           AND record.started_at < %(until)s AND {condition}) AS found
    ) AS dated
), stream AS MATERIALIZED (
    SELECT box, platform, product, network, kind, verdict, due_to
      FROM call JOIN reports_callstream AS stream ON stream.record_id = call.id
), part AS (
    SELECT box, aspect, name, verdict FROM stream CROSS JOIN LATERAL (VALUES
        ('platform', platform), ('product', product), ('network', network), ('kind', kind)
    ) AS aspects (aspect, name)
    UNION ALL
    SELECT box, 'due_to', reason, verdict FROM stream CROSS JOIN LATERAL unnest(due_to) AS reason
     WHERE verdict = '{Verdict.POOR}'
    UNION ALL
    SELECT box, aspect, result, CASE WHEN had_trouble THEN '{Verdict.POOR}' ELSE '{Verdict.GOOD}' END
      FROM call CROSS JOIN LATERAL unnest(ARRAY[{_CHECKS}], results) AS tested (aspect, result)
     WHERE results IS NOT NULL
), boxed AS (
    SELECT box, aspect, name, {", ".join(map(_counted, Verdict))} FROM part GROUP BY box, aspect, name
), counted AS (
    SELECT {_GROUPED}, aspect, name, sum(good) AS good, sum(poor) AS poor, sum(unclassified) AS unclassified
      FROM boxed JOIN (SELECT DISTINCT box, {_BOTH} FROM call) AS boxes USING (box)
     GROUP BY GROUPING SETS ({", ".join(f"({level}, aspect, name)" for level in _LEVELS)})
), listed AS (
    SELECT {_KEY}, array_agg(aspect) AS aspects, array_agg(name) AS names, array_agg(good) AS good_counts,
           array_agg(poor) AS poor_counts, array_agg(unclassified) AS unclassified_counts
      FROM counted GROUP BY {_KEY}
), summed AS (
    SELECT {_GROUPED}, count(*) AS calls, sum(good) AS good, sum(poor) AS poor, sum(unclassified) AS unclassified
      FROM call GROUP BY GROUPING SETS ({", ".join(f"({level})" for level in _LEVELS)})
)
SELECT {_KEY}, calls, good, poor, unclassified, coalesce(aspects, '{{}}') AS aspects, coalesce(names, '{{}}') AS names,
       coalesce(good_counts, '{{}}') AS good_counts, coalesce(poor_counts, '{{}}') AS poor_counts,
       coalesce(unclassified_counts, '{{}}') AS unclassified_counts
  FROM summed LEFT JOIN listed USING ({_KEY})
"""  # noqa: S608 - our own words only


INTO_DAYS = f"""
INSERT INTO reports_callday (organization_id, calendar, {COLUMNS})
SELECT %(organization)s, %(calendar)s, {COLUMNS} FROM ({select()}) AS summed
"""  # noqa: S608 - our own words only


def _repeated(condition: str) -> str:
    """Return the statement that writes :class:`RepeatedCall` for the records of ``condition``."""
    return f"""
INSERT INTO reports_repeatedcall (record_id, organization_id, visit_id, started_at, endpoint_id, department,
    visit_type, {_HAS}, results, had_trouble)
SELECT id, organization_id, visit_id, started_at, endpoint_id, department, visit_type, {_HAS},
       coalesce(results, '{{}}'), had_trouble FROM ({_CALL}
 WHERE {condition} AND EXISTS (
    SELECT FROM reports_callrecord AS other WHERE other.visit_id = record.visit_id AND other.id <> record.id
 )) AS found
"""  # noqa: S608 - our own words only


@contextmanager
def uncompiled() -> Iterator[Any]:
    """Yield a cursor for statements that PostgreSQL shall not compile first: it takes a second, and they a fifth."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        yield cursor


def note_repeated(visit_ids: Collection[UUID]) -> None:
    """Find out anew which of these visits had several calls."""
    RepeatedCall.objects.filter(visit_id__in=visit_ids).delete()
    with uncompiled() as cursor:
        cursor.execute(_repeated("record.visit_id = ANY(%s)"), [list(visit_ids)])


def note_all_repeated(organization: Organization) -> None:
    """Find out anew which visits of ``organization`` had several calls."""
    RepeatedCall.objects.for_organization(organization).delete()
    with uncompiled() as cursor:
        cursor.execute(_repeated("record.organization_id = %s"), [organization.pk])


def times_of(visit_ids: Collection[UUID]) -> dict[UUID, list[datetime]]:
    """Return by organization when the calls of these visits began."""
    found: dict[UUID, list[datetime]] = defaultdict(list)
    records = CallRecord.objects.filter(visit_id__in=visit_ids)
    for organization_id, started_at in records.values_list("organization_id", "started_at"):
        found[organization_id].append(started_at)
    return found
