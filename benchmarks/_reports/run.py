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
from benchmarks._reports import scene
from benchmarks.harness import Row
from config_portal.models import Organization
from core import scope
from core.spreadsheet import csv_lines
from reports.models import VisitFact
from reports.presenters.files import header_of, rows_of
from reports.services import refreshing, rolling
from reports.services.asked import Asked, recent
from reports.services.figures import By, figures

scope.use_for_process(scope.of_platform("benchmark"))

MILLION = 1_000_000
TABS = {"appointments": "", "duration": "duration", "EHR": "ehr", "SMS": "sms"}
_RAW = """
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


def measure(*, scale: float) -> list[Row]:
    """Write the hospital, sum its days, and measure; ``scale`` is millions of visits."""
    call_command("migrate", verbosity=0)

    visits = int(MILLION * scale)
    organization, reader = scene.hospital(visits=visits)
    rolled = _seconds(lambda: rolling.roll_everything(organization))
    scene.analyze()
    wrong = scene.wrong_facts(organization, sample=300)
    return [
        Row(metric="visits", value=visits, unit=""),
        Row(metric="participants", value=visits * scene.PEOPLE, unit=""),
        Row(metric="facts that differ from presence, of 300", value=wrong, unit="", target=0),
        Row(metric="all days of the year summed anew", value=rolled, unit="s"),
        *_pages(reader),
        *_raw(organization),
        *_freshness(organization),
        *_csv(organization),
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

    asked = Asked(organization=organization, period=recent(organization, days=90, now=timezone.now()))
    since, until = asked.period.moments(asked.zone)
    ours = _seconds(lambda: figures(asked, By.DAY, with_sketches=True), times=5)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"organization": asked.organization.pk, "since": since, "until": until}
        raw = _seconds(lambda: cursor.execute(_RAW, values), times=3)
    return [
        Row(metric="chart of 90 days from days (peer: raw query)", value=ours * 1000, unit="ms", peer=raw * 1000),
        Row(metric="raw query / ours", value=raw / ours, unit="x"),
    ]


def _freshness(organization: Organization) -> list[Row]:

    refreshing.refresh(now=timezone.now())
    visit = scene.one_more_arrival(organization, now=timezone.now())
    before = VisitFact.objects.get(pk=visit).duration
    took = _seconds(lambda: refreshing.refresh(now=timezone.now()))
    assert VisitFact.objects.get(pk=visit).duration != before  # noqa: S101 - else nothing was measured
    wait = 15.0  # the tick of reports.refresh
    return [Row(metric="late news in the figures, at the latest", value=wait + took, unit="s", target=60)]


def _csv(organization: Organization) -> list[Row]:

    asked = Asked(organization=organization, period=recent(organization, days=399, now=timezone.now()))
    lines = csv_lines(header_of("visits", []), rows_of("visits", asked, [], names_visits=False))
    for _ in islice(lines, 5_000):
        pass  # what is held is held by now
    held, began = _memory(), time.perf_counter()
    count = sum(1 for _ in lines)
    took = time.perf_counter() - began
    return [
        Row(metric="CSV: rows", value=count, unit=""),
        Row(metric="CSV: speed", value=count / took, unit="rows/s"),
        Row(metric="CSV: memory grew by", value=_memory() - held, unit="MiB", target=32),
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
