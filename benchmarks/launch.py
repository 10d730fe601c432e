"""Launch, join, live status and webhooks, with Epic and Graph answering at once.

A web process of its own (uvicorn, one process) serves the product against the stack's PostgreSQL and Valkey;
stub, generator and servers share the machine. Steps are measured by their caller: at saturation with 50 users,
and at half of that rate, begun at random moments, with a second to read the status page, and without, when a
join may have to wait for the worker; first of visits that nobody has heard of, so that the callback
makes the visit and a worker its meeting, then of visits that have both, as after an appointment from Epic. The peers
are bare Django views in a process of their own, at half of *their* saturation, with as many database round trips as
such a launch makes, and as many commits among them: one goes by Django's models, the other sends statements that are
written out. What the processes compute is measured too, at saturation and for each step alone:
it depends less on what else the machine does than what a caller waits for.
"""

import asyncio
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from functools import partial

import requests

from benchmarks._launch import scene, streams, stub
from benchmarks._launch.client import Answer, Browser, at_rate, percentile, saturate
from benchmarks._launch.journey import JOIN, STEPS, Journey, new_visit
from benchmarks._launch.processes import Served, web, worker
from benchmarks.harness import Row

USERS, SECONDS = 50, 12.0
ALONE = 200  # launches, one after the other, for the processor time of each step
LAUNCH = "launch: start and callback"
MODELS = "models"
BARE = (MODELS, "statements")
READS = 1.0  # seconds that a provider looks at the status page before joining, where nothing else is said
STEP_MILLISECONDS, OVERHEAD, ANSWER_MILLISECONDS = 100.0, 3.0, 1000.0

Times = dict[str, list[float]]


def measure() -> list[Row]:
    """Return what every part took."""
    with stub.running() as peers:
        elsewhere = {"GRAPH_BASE_URL": peers, "ENTRA_BASE_URL": peers}
        scene.set_up(elsewhere)
        path = f"/launch/provider/{scene.endpoint(peers)}"
        with (
            worker(elsewhere),
            web("ehrconnector.asgi:application", elsewhere) as ours,
            web("benchmarks._launch.bare:application", {}) as bare,
        ):
            rows = asyncio.run(_launches(ours, bare, path))
            rows += asyncio.run(_webhooks(ours.url))
            return rows + asyncio.run(streams.measure(ours))


async def _launches(ours: Served, bare: Served, path: str) -> list[Row]:
    known: list[str] = []

    def remembered() -> str:
        known.append(new_visit())
        return known[-1]

    await _launch(ours.url, path, new_visit(), {})
    trips, commits = await asyncio.to_thread(scene.round_trips, path, new_visit())
    rows = await _alone(ours, bare, path, f"{trips}/{commits}")
    rows += await _at_loads(ours, bare, path, "new visit", choose=remembered)
    again = itertools.cycle(known)
    return rows + await _at_loads(ours, bare, path, "meeting ready", choose=lambda: next(again))


async def _at_loads(ours: Served, bare: Served, path: str, kind: str, *, choose: Callable[[], str]) -> list[Row]:
    """Launch at saturation and at half of it.

    :param choose: returns the session id of the next visit to launch.
    """
    times: Times = {}

    async def work(reads: float = 0.0) -> None:
        await _launch(ours.url, path, choose(), times, reads=reads)

    trips, commits = await asyncio.to_thread(scene.round_trips, path, choose())
    before = ours.computed()
    most = await saturate(work, users=USERS, seconds=SECONDS)
    computed = (ours.computed() - before) / len(times[LAUNCH])
    rows = [
        Row(metric=f"{kind}: launches and joins, 50 users", value=most, unit="1/s"),
        Row(metric=f"{kind}: launches and joins for each core of the web process", value=1 / computed, unit="1/s"),
        *_percentiles(times, f"{kind}, 50 users"),
    ]
    times.clear()
    await at_rate(partial(work, READS), rate=most / 2, seconds=SECONDS)
    rows += _percentiles(times, f"{kind}, half load", target=STEP_MILLISECONDS)
    ours_took = percentile(times[LAUNCH], 0.5)
    times.clear()
    await at_rate(work, rate=most / 2, seconds=SECONDS)
    rows += _percentiles({JOIN: times[JOIN]}, f"{kind}, half load, at once")
    for way in BARE:
        peer = await _bare(bare, f"/bare/{way}/{trips}/{commits}")
        name = f"bare view by {way}"
        rows += [
            Row(metric=f"{name}, {trips} round trips, {commits} commits: p50", value=peer, unit="ms"),
            Row(
                metric=f"{kind}: launch by {name}, medians", value=ours_took / peer, unit="times",
                target=OVERHEAD if way == MODELS else None,
            ),
        ]  # fmt: skip
    return rows


async def _alone(ours: Served, bare: Served, path: str, trips: str) -> list[Row]:
    """Take each step of many launches after the other, nothing else running, and see what it computes."""
    journeys = [Journey(Browser(ours.url), path) for _ in range(ALONE)]
    rows = [
        await _computes(ours, name, [(journey.browser, partial(step, journey)) for journey in journeys])
        for name, step in {"first page": Journey.arrive, **STEPS}.items()
    ]
    browser = Browser(bare.url)
    for way in BARE:
        ask = partial(browser.send, "GET", f"/bare/{way}/{trips}")
        rows.append(await _computes(bare, f"bare view by {way}", [(browser, ask)] * ALONE))
    return rows


async def _computes(served: Served, name: str, steps: list[tuple[Browser, Callable[[], Awaitable[Answer]]]]) -> Row:
    before = served.computed()
    for browser, step in steps:
        await step()
        browser.close()  # the next step comes later than servers keep connections
    return Row(metric=f"{name}: processor time", value=(served.computed() - before) / ALONE * 1000, unit="ms")


async def _bare(bare: Served, path: str) -> float:
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


async def _launch(url: str, path: str, session_id: str, times: Times, *, reads: float = 0.0) -> None:
    """Launch a visit as a provider in a browser of its own, look at the status page for ``reads`` seconds, and join."""
    journey = Journey(Browser(url), path, session_id)
    await journey.arrive()
    taken = {}
    for name, step in STEPS.items():
        if name == JOIN and reads:
            journey.browser.close()
            await asyncio.sleep(reads)
        taken[name] = (await step(journey)).milliseconds
    journey.browser.close()
    taken[LAUNCH] = taken["start"] + taken["callback"]
    for name, milliseconds in taken.items():
        times.setdefault(name, []).append(milliseconds)


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
        metric="notification answered, 50 users: p99",
        value=percentile(taken, 0.99),
        unit="ms",
        target=ANSWER_MILLISECONDS,
    )
    return [Row(metric="notifications stored", value=rate, unit="1/s"), slowest]
