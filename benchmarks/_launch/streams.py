"""Thousands of open streams of live status on one process: how long until each is told of a change."""

import asyncio
import os
import time
from collections import Counter
from urllib.parse import urlsplit

from benchmarks._launch import scene
from benchmarks._launch.client import percentile
from benchmarks._launch.processes import Served
from benchmarks.harness import Row

STREAMS, VISITS, CHANGES = 5_000, 100, 60
DELIVERY_SECONDS = 1.0
BATCH = 100  # streams opened before the next are


async def measure(served: Served) -> list[Row]:
    """Open the streams, change visits at random and see when each stream is told."""
    visits = await asyncio.to_thread(scene.watched, VISITS)
    before = served.resident()
    sent: dict[str, float] = {}
    delays: list[float] = []
    ready = asyncio.Semaphore(0)

    async def listen(visit: str, cookie: str) -> None:
        parts = urlsplit(served.url)
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
    memory = (served.resident() - before) / STREAMS
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
