"""From the acknowledgement to the visit and its texts; a long queue; silent connections; the start."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks._hl7.message import message
from benchmarks._hl7.scene import ENDPOINT, worker
from benchmarks._hl7.servers import memory_of, running
from benchmarks._hl7.throughput import client_context
from benchmarks.harness import Row

RATE = 50
_SECONDS = 20
IDLE = 1_000
QUEUE = int(os.environ.get("BENCH_HL7_QUEUE", "2000"))
_READY = """
    SELECT {} FROM hl7intake_inboundmessage m
    WHERE m.control_id LIKE %s AND m.state = 'applied' AND EXISTS (
        SELECT 1 FROM sms_smsmessage s WHERE s.visit_id = m.visit_id)
"""
_NAMES, _COUNT = _READY.format("m.control_id"), _READY.format("count(*)")
_LONGEST_STANDSTILL = 120.0


class NotApplied(Exception):
    """Messages were lost, or did not take effect in time."""


_LISTENER = ("manage.py", "run_mllp", "--host", "127.0.0.1", "--port", "0")
_PLAIN = (*_LISTENER, "--plain", "--endpoint", ENDPOINT)
_NO_LIMIT = {"MLLP_CONNECTIONS_PER_SENDER": "100000"}


def silence(environment: dict[str, str]) -> list[Row]:
    """Return the time to start and the memory of silent connections."""
    with running(*_LISTENER, **_NO_LIMIT, **environment) as (port, pid, seconds):
        return [Row(metric="listener: start", value=seconds, unit="s", target=2.0), *_idle(port, pid)]


def queue(environment: dict[str, str]) -> list[Row]:
    """Return what becomes of a long queue."""
    with running(*_PLAIN, **_NO_LIMIT, **environment) as (port, pid, _):
        return _drain(port, pid, environment)


def latency(environment: dict[str, str]) -> list[Row]:
    """Return how long messages take to their effect."""
    with running(*_PLAIN, **_NO_LIMIT, **environment) as (port, _, _), worker(environment):
        return _latency(port, environment)


def _idle(port: int, pid: int) -> list[Row]:
    async def hold(context: ssl.SSLContext) -> float:
        before = memory_of(pid)
        opened: list[Any] = []
        for _ in range(IDLE // 20):
            pair = (
                asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost") for _ in range(20)
            )
            opened += await asyncio.gather(*pair)
        grown = memory_of(pid) - before
        for _, writer in opened:
            writer.transport.abort()
        return grown

    grown = asyncio.run(hold(client_context()))
    return [Row(metric=f"{IDLE} silent TLS connections: memory", value=grown, unit="MiB", target=64.0)]


async def _send(port: int, *, number: int, prefix: str, rate: float | None) -> dict[str, float]:
    """Send over 8 connections and return when each message was acknowledged."""
    acknowledged: dict[str, float] = {}
    started = time.perf_counter()
    numbers = iter(range(number))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for this in numbers:
            if rate:
                await asyncio.sleep(max(0.0, started + this / rate - time.perf_counter()))
            writer.write(b"\x0b" + message(this, csn=_csn(prefix, this), prefix=prefix) + b"\x1c\r")
            answer = await reader.readuntil(b"\x1c\r")
            if b"MSA|CA" not in answer and b"MSA|AA" not in answer:
                raise NotApplied(answer[:200])
            acknowledged[f"{prefix}{this}"] = time.perf_counter()
        writer.close()

    await asyncio.gather(*(one() for _ in range(8)))
    return acknowledged


def _csn(prefix: str, number: int) -> int:
    return number + {"e": 10_000_000, "q": 20_000_000}[prefix[0]]


def _latency(port: int, environment: dict[str, str]) -> list[Row]:
    _settled(port, environment)
    program = f"from benchmarks._hl7.effect import watch; watch('ee', {RATE * _SECONDS})"
    watcher = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    acknowledged = asyncio.run(_send(port, number=RATE * _SECONDS, prefix="ee", rate=RATE))
    output, _ = watcher.communicate(timeout=120)
    seen = dict(line.split() for line in output.splitlines())
    gave_up = time.perf_counter()  # whatever has taken no effect by now counts as if it did now
    waits = sorted(float(seen.get(control_id, gave_up)) - at for control_id, at in acknowledged.items())
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    name = f"ACK to visit and texts at {RATE} messages/s"
    return [
        Row(metric=f"{name}: p50", value=p50, unit="s"),
        Row(metric=f"{name}: p99", value=p99, unit="s", target=2.0),
    ]


def _settled(port: int, environment: dict[str, str]) -> None:
    """Warm the workers up."""
    asyncio.run(_send(port, number=50, prefix="ew", rate=RATE))
    _wait(environment, "ew%", 50)


def watch(prefix: str, number: int) -> None:
    """Print when each message was first seen to have taken effect; the clock is the machine's."""
    seen: set[str] = set()
    until = time.perf_counter() + 90
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        while len(seen) < number and time.perf_counter() < until:
            ready = {row[0] for row in database.execute(_NAMES, [f"{prefix}%"]).fetchall()} - seen
            now = time.perf_counter()
            seen |= ready
            sys.stdout.writelines(f"{control_id} {now}\n" for control_id in ready)
            time.sleep(0.02)


def _drain(port: int, pid: int, environment: dict[str, str]) -> list[Row]:
    before = memory_of(pid)
    acknowledged = asyncio.run(_send(port, number=QUEUE, prefix="qq", rate=None))
    grown = memory_of(pid) - before
    with worker(environment) as process:
        started = time.perf_counter()
        time.sleep(8)
        first = _memory_of_children(process.pid)
        _wait(environment, "qq%", len(acknowledged))
        seconds = time.perf_counter() - started
        last = _memory_of_children(process.pid)
    name = f"{QUEUE} queued"
    return [
        Row(metric=f"{name}: not acknowledged", value=QUEUE - len(acknowledged), unit="messages", target=0.0),
        Row(
            metric=f"{name}: acknowledged and lost", value=_lost(environment, acknowledged), unit="messages", target=0.0
        ),
        Row(metric=f"{name}: drained", value=QUEUE / seconds, unit="visits/s"),
        Row(metric=f"{name}: workers grew by", value=last - first, unit="MiB", target=32.0),
        Row(metric=f"{name}: listener grew by", value=grown, unit="MiB", target=32.0),
    ]


def _lost(environment: dict[str, str], acknowledged: Iterable[str]) -> int:
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database:
        ready = {row[0] for row in database.execute(_NAMES, ["qq%"]).fetchall()}
    return len(set(acknowledged) - ready)


def _wait(environment: dict[str, str], pattern: str, number: int) -> None:
    """Wait until so many messages have taken effect.

    :raises NotApplied: when for a while none did.
    """
    # Counting a long queue takes the database a while: it is looked at less often, so as not to slow it down.
    pause = max(0.2, number / 20_000)
    found, moved_at = 0, time.perf_counter()
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database:
        while time.perf_counter() - moved_at < _LONGEST_STANDSTILL:
            row = database.execute(_COUNT, [pattern]).fetchone()
            before, found = found, int(row[0]) if row else 0
            if found >= number:
                return
            if found > before:
                moved_at = time.perf_counter()
            time.sleep(pause)
    raise NotApplied(pattern)


def _memory_of_children(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return sum(memory_of(int(child)) for child in [str(pid), *children])
