"""Reads the reports of :mod:`benchmarks._reports.scene` in every way that is measured."""

import resource
import statistics
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from benchmarks._reports import scene, seed
from benchmarks.harness import Row
from config_portal.models import Organization
from core import scope
from core.spreadsheet import csv_lines
from reports.models import VisitFact
from reports.presenters.files import header_of, rows_of
from reports.services import call_figures, refreshing, rolling
from reports.services.asked import Asked, recent
from reports.services.figures import By, figures

scope.use_for_process(scope.of_platform("benchmark"))

MILLION = 1_000_000
SOME = 200_000  # rows of the files that are not made in full
TABS = {"appointments": "", "duration": "duration", "EHR": "ehr", "SMS": "sms", "call quality": "quality"}
TOLD = "differences"  # of which the longest period is 30 days
_RAW_VISITS = """
WITH event AS (
    SELECT visit.id AS visit, person.role = 'provider' AS is_provider, event.participant_id, event.kind, event.at
      FROM visits_visit AS visit
      JOIN meetings_meeting AS meeting ON meeting.visit_id = visit.id
      JOIN meetings_participant AS person ON person.meeting_id = meeting.id
      JOIN meetings_presenceevent AS event ON event.participant_id = person.id AND NOT event.is_superseded
     WHERE visit.organization_id = %(organization)s AND visit.starts_at >= %(since)s AND visit.starts_at < %(until)s
), held AS (
    SELECT visit, greatest(min(at) FILTER (WHERE kind = 'connected' AND is_provider),
                           min(at) FILTER (WHERE kind = 'connected' AND NOT is_provider)) AS start,
           max(at) FILTER (WHERE kind = 'disconnected') AS ended,
           min(at) FILTER (WHERE kind = 'lobby_entered') AS waiting,
           min(at) FILTER (WHERE kind = 'connected' AND NOT is_provider) AS admitted
      FROM event GROUP BY visit
)
SELECT (start AT TIME ZONE 'America/Chicago')::date AS day, count(*), avg(ended - start), avg(admitted - waiting),
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM ended - start))
  FROM held WHERE start IS NOT NULL GROUP BY day
"""
_RAW_CALLS = """
WITH record AS (
    SELECT id, visit_id, poor FROM reports_callrecord
     WHERE organization_id = %(organization)s AND started_at >= %(since)s AND started_at < %(until)s
), stream AS (
    SELECT platform, verdict FROM reports_callstream WHERE record_id IN (SELECT id FROM record)
)
SELECT 'visits', '', count(DISTINCT visit_id) FROM record
UNION ALL
SELECT 'poor_visits', '', count(DISTINCT visit_id) FROM record WHERE poor > 0
UNION ALL
SELECT platform, verdict, count(*) FROM stream GROUP BY platform, verdict
"""


def measure(*, scale: float) -> list[Row]:
    """Write the hospital, sum its days, and measure; ``scale`` is millions of visits."""
    call_command("migrate", verbosity=0)

    visits = int(MILLION * scale)
    organization, reader = scene.hospital(visits=visits)
    rolled = _seconds(lambda: rolling.roll_everything(organization))
    refreshing.refresh(now=timezone.now())  # a database that was kept may have been upgraded since
    scene.analyze()
    wrong = scene.wrong_facts(organization, sample=300)
    return [
        Row(metric="visits", value=visits, unit=""),
        Row(metric="participants", value=visits * seed.PEOPLE, unit=""),
        Row(metric="facts that differ from presence, of 300", value=wrong, unit="", target=0),
        Row(metric="all days of the year summed anew", value=rolled, unit="s"),
        *_pages(reader),
        *_raw(organization),
        *_raw_calls(organization),
        *_freshness(organization),
        *_csv(organization, "visits"),
        *_csv(organization, "texts", most=SOME),
        *_csv(organization, "calls", most=SOME),
    ]


def _pages(reader: User) -> list[Row]:

    client = Client(headers={"host": "localhost"})
    client.force_login(reader)
    since, until = scene.a_year(timezone.now())
    rows = []
    for name, path in TABS.items():
        times = [_page(client, path, {"days": "90"}) for _ in range(30)]
        rows.append(Row(metric=f"{name}, 90 days: median", value=statistics.median(times), unit="ms"))
        rows.append(Row(metric=f"{name}, 90 days: p95", value=_p95(times), unit="ms", target=500))
    times = [_page(client, TOLD, {"days": "30"}) for _ in range(20)]
    rows.append(Row(metric="told to Epic, 30 days: p95", value=_p95(times), unit="ms"))
    for name, path in TABS.items():
        times = [_page(client, path, {"days": "custom", "since": since, "until": until}) for _ in range(20)]
        rows.append(Row(metric=f"{name}, a year: p95", value=_p95(times), unit="ms", target=2000))
    return rows


def _page(client: Client, path: str, query: dict[str, str]) -> float:
    began = time.perf_counter()
    answer = client.get(f"/reports/{path}", query, secure=True)
    assert answer.status_code == 200, answer.status_code  # noqa: S101, PLR2004 - a benchmark of refusals is none
    return (time.perf_counter() - began) * 1000


def _raw(organization: Organization) -> list[Row]:

    asked = _asked(organization, days=90)
    ours = _seconds(lambda: figures(asked, By.DAY, with_sketches=True), times=5)
    raw = _seconds(lambda: _fetched(_RAW_VISITS, asked), times=3)
    return [
        Row(metric="chart of 90 days from days (peer: raw query)", value=ours * 1000, unit="ms", peer=raw * 1000),
        Row(metric="raw query / ours", value=raw / ours, unit="x"),
    ]


def _raw_calls(organization: Organization) -> list[Row]:

    asked = _asked(organization, days=90)
    ours = _seconds(lambda: _calls(asked), times=5)
    raw = _seconds(lambda: _fetched(_RAW_CALLS, asked), times=3)
    wrong = len(_calls(asked) ^ set(_fetched(_RAW_CALLS, asked)))
    return [
        Row(metric="calls of 90 days from days (peer: raw query)", value=ours * 1000, unit="ms", peer=raw * 1000),
        Row(metric="calls: raw query / ours", value=raw / ours, unit="x"),
        Row(metric="sums of calls that differ from the raw query", value=wrong, unit="", target=0),
    ]


def _calls(asked: Asked) -> set[tuple[str, str, int]]:
    """Return from the sums what the raw query of calls returns."""
    found = call_figures.quality(asked)
    streams = {
        (platform, verdict, count)
        for platform, counts in found.groups.items()
        for verdict, count in counts.items()
        if count
    }
    return {("visits", "", found.visits), ("poor_visits", "", found.poor_visits)} | streams


def _asked(organization: Organization, *, days: int) -> Asked:
    return Asked(organization=organization, period=recent(organization, days=days, now=timezone.now()))


def _fetched(statement: str, asked: Asked) -> list[tuple[Any, ...]]:
    since, until = asked.period.moments(asked.zone)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"organization": asked.organization.pk, "since": since, "until": until})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _freshness(organization: Organization) -> list[Row]:

    refreshing.refresh(now=timezone.now())
    visit = scene.one_more_arrival(organization, now=timezone.now())
    scene.one_more_poor_stream(organization)
    before = VisitFact.objects.get(pk=visit).duration, call_figures.quality(_asked(organization, days=7)).streams
    took = _seconds(lambda: refreshing.refresh(now=timezone.now()))
    after = VisitFact.objects.get(pk=visit).duration, call_figures.quality(_asked(organization, days=7)).streams
    changed = [one != other for one, other in zip(before, after, strict=True)]
    assert all(changed), changed  # noqa: S101 - else nothing was measured
    wait = 15.0  # the tick of reports.refresh
    return [Row(metric="late news in the figures, at the latest", value=wait + took, unit="s", target=60)]


def _csv(organization: Organization, subject: str, *, most: int | None = None) -> list[Row]:

    asked = _asked(organization, days=399)
    lines = islice(csv_lines(header_of(subject, []), rows_of(subject, asked, [], names_visits=False)), most)
    for _ in islice(lines, 5_000):
        pass  # what is held is held by now
    held, began = _memory(), time.perf_counter()
    count = sum(1 for _ in lines)
    took = time.perf_counter() - began
    return [
        Row(metric=f"CSV of {subject}: rows", value=count, unit=""),
        Row(metric=f"CSV of {subject}: speed", value=count / took, unit="rows/s"),
        Row(metric=f"CSV of {subject}: memory grew by", value=_memory() - held, unit="MiB", target=32),
    ]


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(act: Callable[[], object], *, times: int = 1) -> float:
    """Return how long ``act`` takes, the fastest of some tries."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return min(found)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
