"""The measurements themselves, one after another on the same rows."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("benchmark"))

import redis  # noqa: E402 - after setup
import requests  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks._sms import data, peers  # noqa: E402
from benchmarks.harness import Row, table  # noqa: E402
from sms.models import SmsMessage  # noqa: E402
from sms.services import recording, sending  # noqa: E402
from sms.services.recording import Waiting  # noqa: E402

FUTURE_SMALL, FUTURE, DUE = 100_000, 1_000_000, 50_000
WARM_UP, CLAIMS = 20, 60
PEER_TEXTS, ETA_TEXTS = 3_000, 2_000
WORKERS = (1, 2, 4)
_LATENESS = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - due_at)), count(*)
      FROM sms_smsmessage WHERE offset_minutes = %s AND state = 'accepted'
"""


def measure(*, scale: float) -> list[Row]:
    """Seed, measure ours with 1, 2 and 4 workers, then the two peers."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    endpoint = data.make_hospital(now=now)
    due = int(DUE * scale)
    _say("seeding what is due")
    data.add_due(endpoint, due, now=now)
    _say("seeding the future")
    data.add_future(endpoint, int(FUTURE_SMALL * scale), first=1, now=now)
    few, few_pages = _tick(due), _pages()
    data.add_future(endpoint, int((FUTURE - FUTURE_SMALL) * scale), first=int(FUTURE_SMALL * scale), now=now)
    many, many_pages = _tick(due), _pages()
    rows = [
        Row(metric="tick (claim 250), 100k future rows", value=few * 1000, unit="ms"),
        Row(metric="tick (claim 250), 1M future rows", value=many * 1000, unit="ms", peer=few * 1000),
        Row(metric="tick cost, 100k → 1M future rows", value=many / few, unit="times", target=1.3),
        Row(metric="pages a claim looks at, 100k future rows", value=few_pages, unit="pages"),
        Row(metric="pages a claim looks at, 1M future rows", value=many_pages, unit="pages", target=1.3 * few_pages),
        Row(metric="claim rate", value=sending.BATCH / many, unit="texts/s"),
        Row(metric="database with 1M future rows", value=data.database_bytes() / 2**20, unit="MiB"),
    ]
    _show(rows)
    notify = _notify(int(PEER_TEXTS * min(scale * 2, 1)))
    rows += _show([Row(metric="(b) one task per text, 32 threads", value=notify, unit="texts/s per worker")])
    for workers in WORKERS:
        rows += _show(_ours(due, workers=workers, notify=notify))
    killed = int(ETA_TEXTS * min(scale * 2, 1))
    return [*rows, *_show(_kill_ours(killed)), *_show(_kill_eta(killed))]


def _tick(due: int) -> float:
    """Return the median seconds of claiming a batch among everything that is stored."""
    data.make_due(due, at=timezone.now())
    times = []
    for _ in range(WARM_UP + CLAIMS):
        began = time.perf_counter()
        claimed = sending.claim(now=timezone.now(), limit=sending.BATCH)
        times.append(time.perf_counter() - began)
        recording.put_back([Waiting(message=text, until=text.due_at, code="") for text in claimed])
    return statistics.median(times[WARM_UP:])


def _pages() -> int:
    """Return how many pages of table and indexes the claim of a batch looks at: a count that no other load disturbs."""
    due = SmsMessage.objects.due_before(timezone.now()).order_by("due_at")
    with transaction.atomic():
        claim = due.select_for_update(skip_locked=True, of=("self",))[: sending.BATCH]
        (plan,) = json.loads(claim.explain(format="json", analyze=True, buffers=True))
    return int(plan["Plan"]["Shared Hit Blocks"]) + int(plan["Plan"]["Shared Read Blocks"])


def _ours(due: int, *, workers: int, notify: float) -> list[Row]:
    """Let ``workers`` send what is due at one moment."""
    _say(f"sending {due:,} with {workers} worker(s)")
    _stub("reset")
    _redis().flushdb()
    start = time.time() + 4 + workers
    data.make_due(due, at=datetime.fromtimestamp(start, tz=timezone.get_default_timezone()))
    start = max(start, time.time() + 2 + workers)
    _execute(
        "UPDATE sms_smsmessage SET due_at = to_timestamp(%s) WHERE offset_minutes = %s AND state = 'pending'", start
    )
    data.tidy()
    start = time.time() + 3 + workers
    _execute(
        "UPDATE sms_smsmessage SET due_at = to_timestamp(%s) WHERE offset_minutes = %s AND state = 'pending'", start
    )
    command = [sys.executable, "-m", "benchmarks._sms.sender", str(start)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(workers)]  # noqa: S603 - built above
    reports: list[dict[str, Any]] = [json.loads(each.communicate()[0]) for each in running]
    seconds = max(report["seconds"] for report in reports)
    p50, p99, sent = _lateness()
    stats, each = _stub("stats"), sent / seconds / workers
    name = f"{workers} worker{'s' if workers > 1 else ''}"
    target = 10 * notify if workers == 1 else None
    return [
        Row(metric=f"{name}: sends", value=sent / seconds, unit="texts/s"),
        Row(metric=f"{name}: sends per worker", value=each, unit="texts/s", peer=notify, target=target, at_least=True),
        Row(metric=f"{name}: lateness p50", value=p50, unit="s"),
        Row(metric=f"{name}: lateness p99", value=p99, unit="s", target=60),
        Row(
            metric=f"{name}: duplicates at the supplier", value=stats["calls"] - stats["texts"], unit="texts", target=0
        ),
        Row(metric=f"{name}: not sent", value=due - sent, unit="texts", target=0),
        Row(metric=f"{name}: memory of a worker", value=max(r["rss"] for r in reports) / 2**20, unit="MiB"),
        Row(metric=f"{name}: processor per text", value=sum(r["cpu"] for r in reports) / sent * 1e6, unit="µs"),
        Row(metric=f"{name}: Redis memory", value=_redis_bytes() / 2**20, unit="MiB"),
    ]


def _notify(texts: int) -> float:
    """Return texts per second of one Celery worker with a task for each text."""
    _say(f"(b) one task for each of {texts:,} texts")
    _redis().flushdb()
    data.make_due(texts, at=timezone.now())
    peers.enqueue(list(_due_ids(texts)))
    worker = _celery("threads", 32)
    try:
        _wait(lambda: _accepted() >= texts // 10, seconds=120)
        began, first = time.monotonic(), _accepted()
        _wait(lambda: _accepted() >= texts, seconds=300)
        return (texts - first) / (time.monotonic() - began)
    finally:
        _kill(worker)


def _kill_eta(texts: int) -> list[Row]:
    """Show what ETA tasks cost, and what is left of them after ``kill -9`` of the worker that holds them."""
    _say(f"(a) an ETA task for each of {texts:,} reminders, worker killed")
    _redis().flushdb()
    due_at = timezone.now() + timedelta(seconds=40)
    data.make_due(texts, at=due_at)
    empty = _redis_bytes()
    began = time.monotonic()
    peers.enqueue(list(_due_ids(texts)), eta=due_at)
    enqueued = texts / (time.monotonic() - began)
    memory = _redis_bytes() - empty
    first = _celery("threads", 32)
    _wait(lambda: _redis().llen("peers") == 0, seconds=30)  # it holds them all, prefetch limit or not
    _kill(first)
    second = _celery("threads", 32)
    try:
        time.sleep(max((due_at - timezone.now()).total_seconds(), 0) + 60)  # what is measured is the waiting
        sent = _accepted()
    finally:
        _kill(second)
    return [
        Row(metric="(a) ETA tasks: enqueued", value=enqueued, unit="texts/s"),
        Row(metric="(a) ETA tasks: Redis memory for each", value=memory / texts, unit="bytes"),
        Row(metric="(a) ETA tasks: sent 60 s after due, worker killed before", value=sent / texts * 100, unit="%"),
    ]


def _kill_ours(texts: int) -> list[Row]:
    """Kill our only worker in the middle, start another, and see what became of the texts."""
    _say(f"killing our worker in the middle of {texts:,} texts")
    _stub("reset")
    data.make_due(texts, at=timezone.now())
    command = [sys.executable, "-m", "benchmarks._sms.sender", "0"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - built above
    _wait(lambda: _stub("stats")["calls"] > texts // 10, seconds=60)
    _kill(first)
    began = time.monotonic()
    recover = [sys.executable, "-m", "benchmarks._sms.recoverer", str(texts)]
    subprocess.run(recover, check=True, timeout=400)  # noqa: S603 - built above
    stats = _stub("stats")
    return [
        Row(metric="ours: all sent after kill -9", value=time.monotonic() - began, unit="s", target=150),
        Row(metric="ours: sent after kill -9", value=stats["texts"] / texts * 100, unit="%", target=100, at_least=True),
    ]


def _due_ids(count: int) -> Any:
    found = SmsMessage.objects.open().filter(offset_minutes=data.DUE_OFFSET)
    return found.values_list("pk", flat=True)[:count]


def _accepted() -> int:
    found = SmsMessage.objects.filter(offset_minutes=data.DUE_OFFSET)
    return found.filter(state=SmsMessage.State.ACCEPTED).count()


def _lateness() -> tuple[float, float, int]:
    with connection.cursor() as cursor:
        cursor.execute(_LATENESS, [data.DUE_OFFSET])
        (percentiles, count) = cursor.fetchone() or ([0, 0], 0)
    return float(percentiles[0]), float(percentiles[1]), int(count)


def _execute(statement: str, start: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [start, data.DUE_OFFSET])


def _stub(path: str) -> dict[str, int]:
    found: dict[str, int] = requests.get(f"{settings.ACS_ENDPOINT}/{path}", timeout=10).json()
    return found


def _redis() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL)


def _redis_bytes() -> int:
    return int(_redis().info("memory")["used_memory"])


def _celery(pool: str, concurrency: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "celery", "--app=benchmarks._sms.peers", "worker", "--queues=peers"]
    options = [
        f"--pool={pool}",
        f"--concurrency={concurrency}",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=ERROR",
    ]
    return subprocess.Popen([*command, *options], start_new_session=True)  # noqa: S603 - built above


def _kill(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait(is_so: Any, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.1)


def _show(rows: list[Row]) -> list[Row]:
    sys.stderr.write(table(rows) + "\n")
    return rows


def _say(what: str) -> None:
    sys.stderr.write(f"sms: {what}\n")
