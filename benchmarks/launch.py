"""Launch, join, live status and webhooks, with Epic and Graph answering at once.

A web process of its own (uvicorn, one process) serves the product against the stack's PostgreSQL and Valkey;
stub, generator and servers share the machine. Steps are measured by their caller: at saturation with 50 users,
and at half of that rate, begun at random moments. The peer is a bare Django view in a process of its own, at half
of *its* saturation, with as many database round trips as a launch makes, and as many commits among them. What the
processes compute is measured too: it depends less on what else the machine does than what a caller waits for.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from benchmarks._launch import stub
from benchmarks._launch.client import Browser, at_rate, percentile, saturate
from benchmarks.harness import Row
from core import scope
from ehrconnector.stack.children import WEB_CONNECTIONS

USERS, SECONDS = 50, 12.0
LAUNCH = "launch: start and callback"
STREAMS, VISITS, CHANGES = 5_000, 100, 60
STEP_MILLISECONDS, OVERHEAD, DELIVERY_SECONDS, ANSWER_MILLISECONDS = 100.0, 3.0, 1.0, 1000.0
BATCH = 100  # streams opened before the next are
_FIELD = re.compile(rb'name="([^"]+)" value="([^"]*)"')

Times = dict[str, list[float]]


def measure() -> list[Row]:
    """Return what every part took."""
    with stub.running() as peers:
        launch_id = _endpoint(peers)
        elsewhere = {"GRAPH_BASE_URL": peers, "ENTRA_BASE_URL": peers}
        with (
            _web("ehrconnector.asgi:application", **elsewhere) as (url, pid),
            _web("benchmarks._launch.bare:application") as (bare, bare_pid),
        ):
            rows = asyncio.run(_launches(_Served(url, pid), _Served(bare, bare_pid), f"/launch/provider/{launch_id}"))
            rows += asyncio.run(_webhooks(url))
            return rows + asyncio.run(_streams(url, pid))


@dataclass(frozen=True)
class _Served:
    """A web process: where it listens, and its id."""

    url: str
    pid: int

    def computed(self) -> float:
        """Return how many seconds of a processor it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _launches(ours: _Served, bare: _Served, path: str) -> list[Row]:
    times: Times = {}

    async def work() -> None:
        await _launch(ours.url, path, times)

    await _launch(ours.url, path, {})
    trips, commits = await asyncio.to_thread(_round_trips, path)
    before = ours.computed()
    most = await saturate(work, users=USERS, seconds=SECONDS)
    computed = (ours.computed() - before) / len(times[LAUNCH])
    rows = [
        Row(metric="launches and joins, 50 users", value=most, unit="1/s"),
        Row(metric="launches and joins for each core of the web process", value=1 / computed, unit="1/s"),
    ]
    rows += _percentiles(times, "50 users")
    times.clear()
    await at_rate(work, rate=most / 2, seconds=SECONDS)
    rows += _percentiles(times, "half load", target=STEP_MILLISECONDS)
    peer = await _bare(bare, f"/bare/{trips}/{commits}")
    rows.append(Row(metric=f"bare view, {trips} round trips, {commits} commits: p50", value=peer, unit="ms"))
    ours_took = percentile(times[LAUNCH], 0.5)
    return [*rows, Row(metric="launch by bare view, medians", value=ours_took / peer, unit="times", target=OVERHEAD)]


async def _bare(bare: _Served, path: str) -> float:
    """Return the median of the bare view at half of its saturation, in milliseconds."""
    taken: list[float] = []

    async def ask() -> None:
        browser = Browser(bare.url)
        taken.append((await browser.send("GET", path)).milliseconds)
        browser.close()

    rate = await saturate(ask, users=USERS, seconds=SECONDS / 2)
    taken.clear()
    await at_rate(ask, rate=rate / 2, seconds=SECONDS / 2)
    return percentile(taken, 0.5)


_SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


def _percentiles(times: Times, load: str, *, target: float | None = None) -> list[Row]:
    """Return a row for each step and share; ``target`` is for the 95th percentile of our own steps."""
    return [
        Row(
            metric=f"{step}, {load}: {name}", value=percentile(taken, share), unit="ms",
            target=target if name == "p95" and step != LAUNCH else None,
        )
        for step, taken in times.items() for name, share in _SHARES
    ]  # fmt: skip


async def _launch(url: str, path: str, times: Times) -> None:
    """Launch as a provider in a browser of its own, and join."""
    browser = Browser(url)
    form = "application/x-www-form-urlencoded"
    await browser.send("GET", f"{path}?iss=x&launch=y")
    given = urlencode({"iss": f"{_BASE_URL}", "launch": "token"}).encode()
    begun = await browser.send("POST", path, given, form)
    fields = {name.decode(): value.decode() for name, value in _FIELD.findall(begun.body)}
    code = f"{fields['nonce']}.{uuid.uuid4().int % 10**9}"
    back = await browser.send("GET", f"{path}/callback?{urlencode({'state': fields['state'], 'code': code})}")
    if back.status != requests.codes.see_other:
        raise RuntimeError(f"the callback answered {back.status}: {back.body[:400]!r}")
    page = await browser.send("GET", "/launch/visit")
    token = dict(_FIELD.findall(page.body))[b"token"]
    joined = await browser.send("POST", "/launch/visit/join", b"token=" + token, form)
    if joined.status != requests.codes.ok:
        raise RuntimeError(f"the join answered {joined.status}: {joined.body[:400]!r}")
    browser.close()
    for step, answer in (("start", begun), ("callback", back), ("status page", page), ("join", joined)):
        times.setdefault(step, []).append(answer.milliseconds)
    times.setdefault(LAUNCH, []).append(begun.milliseconds + back.milliseconds)


async def _webhooks(url: str) -> list[Row]:
    taken: list[float] = []

    async def post() -> None:
        browser = Browser(url)
        value = {"subscriptionId": str(uuid.uuid4()), "clientState": "x", "encryptedContent": {"data": "A" * 3000}}
        answer = await browser.send(
            "POST", "/webhooks/graph/notifications", json.dumps({"value": [value]}).encode(), "application/json"
        )
        browser.close()
        if answer.status != requests.codes.accepted:
            raise RuntimeError(f"a notification was answered {answer.status}")
        taken.append(answer.milliseconds)

    rate = await saturate(post, users=USERS, seconds=SECONDS / 2)
    slowest = Row(
        metric="notification answered, 50 users: p99", value=percentile(taken, 0.99), unit="ms", target=1000.0
    )
    return [Row(metric="notifications stored", value=rate, unit="1/s"), slowest]


async def _streams(url: str, pid: int) -> list[Row]:
    """Open 5,000 streams, change visits at random and see when each stream is told."""
    visits = await asyncio.to_thread(_watched, VISITS)
    before = _resident(pid)
    sent: dict[str, float] = {}
    delays: list[float] = []
    ready = asyncio.Semaphore(0)

    async def listen(visit: str, cookie: str) -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"Host: {parts.netloc}\r\nCookie: __Host-visit={cookie}\r\n\r\n"
        writer.write(f"GET /launch/visit/stream HTTP/1.1\r\n{head}".encode())
        await reader.readuntil(b"event: changed\n")
        ready.release()
        while True:
            if (await reader.readline()) == b"event: changed\n":
                delays.append(time.perf_counter() - sent[visit])

    opened = time.perf_counter()
    tasks = []
    for number in range(STREAMS):
        tasks.append(asyncio.create_task(listen(*visits[number % len(visits)])))
        if (number + 1) % BATCH == 0:
            for _ in range(BATCH):
                await ready.acquire()
    opening = time.perf_counter() - opened
    memory = (_resident(pid) - before) / STREAMS
    await _change(visits, sent)
    for task in tasks:
        task.cancel()
    watching = Counter(number % len(visits) for number in range(STREAMS))
    expected = sum(watching[number % len(visits)] for number in range(CHANGES))
    return [
        Row(metric="streams opened", value=STREAMS / opening, unit="1/s"),
        Row(metric="memory per stream", value=memory, unit="kB"),
        Row(metric="changes delivered", value=len(delays) / expected, unit="times", target=1.0, at_least=True),
        Row(metric="delivery, 5,000 streams: p50", value=percentile(delays, 0.5), unit="s"),
        Row(metric="delivery, 5,000 streams: p99", value=percentile(delays, 0.99), unit="s", target=DELIVERY_SECONDS),
    ]


async def _change(visits: list[tuple[str, str]], sent: dict[str, float]) -> None:
    import redis.asyncio as redis  # noqa: PLC0415 - here alone

    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    for number in range(CHANGES):
        visit = visits[number % len(visits)][0]
        sent[visit] = time.perf_counter()
        await client.publish(f"visit:{visit}", "changed")
        await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)
    await client.aclose()


def _resident(pid: int) -> float:
    """Return the resident memory of a process in kB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


_BASE_URL = "https://epic.bench.example.org/api/FHIR/R4"


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")
    import django  # noqa: PLC0415 - only now is it known that this benchmark runs

    django.setup()
    scope.use_for_process(scope.of_platform("benchmark"))


def _endpoint(peers: str) -> str:
    """Make an approved endpoint whose Epic is the stub, and return its launch id."""
    _django()
    from django.utils import timezone  # noqa: PLC0415

    from config_portal.models import ConfigurationVersion, FhirEndpoint  # noqa: PLC0415
    from config_portal.snapshot import digest  # noqa: PLC0415

    original = FhirEndpoint.objects.select_related("approved_version").get(name="lamna-test")
    assert original.approved_version is not None  # noqa: S101 - the stack approved it
    snapshot: dict[str, Any] = json.loads(json.dumps(original.approved_version.snapshot))
    snapshot["endpoint"] |= {"base_url": _BASE_URL, "provider_client_id": stub.CLIENT_ID}
    snapshot["smart"] = {
        "issuer": stub.ISSUER, "authorization_endpoint": f"{peers}/epic/authorize",
        "token_endpoint": f"{peers}/epic/token", "jwks_uri": f"{peers}/epic/keys",
    }  # fmt: skip
    endpoint = FhirEndpoint.objects.create(
        organization=original.organization, name=f"bench-{uuid.uuid4().hex[:8]}", environment="test",
        base_url=_BASE_URL, provider_client_id=stub.CLIENT_ID,
    )  # fmt: skip
    endpoint.approved_version = ConfigurationVersion.objects.create(
        endpoint=endpoint,
        number=1,
        snapshot=snapshot,
        digest=digest(snapshot),
        approved_at=timezone.now(),
        approved_by="bench",
    )
    endpoint.save()
    return str(endpoint.launch_id)


def _watched(number: int) -> list[tuple[str, str]]:
    """Return visits that somebody launched, each with the cookie of its provider."""
    from django.core import signing  # noqa: PLC0415

    from launch.models import LaunchAttempt  # noqa: PLC0415

    attempts = LaunchAttempt.objects.filter(audience="provider", visit__isnull=False).order_by("-created_at")[:number]
    return [(str(attempt.visit_id), signing.dumps(str(attempt.pk), salt="launch.visit")) for attempt in attempts]


def _round_trips(path: str) -> tuple[int, int]:
    """Return how many statements start and callback of a launch send, and how many times they commit a change."""
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    client = Client(SERVER_NAME=urlsplit(os.environ["PUBLIC_URL"]).hostname or "")
    client.get(path, {"iss": _BASE_URL, "launch": "y"}, secure=True)
    with CaptureQueriesContext(connection) as seen:
        page = client.post(path, {"iss": _BASE_URL, "launch": "y"}, secure=True)
        fields = {name.decode(): value.decode() for name, value in _FIELD.findall(page.content)}
        code = f"{fields['nonce']}.{uuid.uuid4().int % 10**9}"
        client.get(f"{path}/callback", {"state": fields["state"], "code": code}, secure=True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, number integer)")
    return len(seen), _commits(query["sql"] for query in seen.captured_queries)


def _commits(statements: Iterable[str]) -> int:
    """Count how often something that was changed was committed; each statement outside a transaction commits."""
    commits, is_inside, has_changed = 0, False, False
    for word in (statement.split(" ", 1)[0] for statement in statements):
        is_inside = (is_inside or word == "BEGIN") and word != "COMMIT"
        has_changed = has_changed or word in {"INSERT", "UPDATE", "DELETE"}
        if has_changed and not is_inside:
            commits, has_changed = commits + 1, False
    return commits


@contextmanager
def _web(application: str, **variables: str) -> Iterator[tuple[str, int]]:
    """Serve ``application`` in one process and yield its address and process id."""
    from ehrconnector.stack.ports import free_port  # noqa: PLC0415 - the stack's own helper

    port = free_port()
    host = urlsplit(os.environ["PUBLIC_URL"]).hostname
    command = [
        sys.executable, "-m", "uvicorn", application, f"--port={port}", "--lifespan=off", "--no-access-log",
        "--log-level=warning", "--backlog=8192",
    ]  # fmt: skip
    env = {**os.environ, "LOG_LEVEL": "ERROR", "DATABASE_POOL_SIZE": WEB_CONNECTIONS, **variables}
    process = subprocess.Popen(command, env=env)  # noqa: S603 - built above
    url = f"http://{host}:{port}"
    try:
        _wait(url)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(url: str) -> None:
    ends = time.monotonic() + 60
    while True:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return
