"""Have many calls to suppliers under way at once: an event loop in a thread of its own (ADR 14).

The worker's own thread keeps the database; the loop's thread knows none. What was handed in comes back
with the supplier's answer or the error.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvloop

from core.errors import ConnectorError
from core.http import HttpCall, policy_from_settings
from core.http_async import AsyncClient
from sms.models import SmsMessage
from sms.providers.base import Acceptance, OutgoingText, SmsProvider


class NotHandedOver(Exception):
    """The text came to its turn so late that its lease could end during the call; no call was made."""


Result = Acceptance | ConnectorError | NotHandedOver


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A claimed text that may go out now."""

    message: SmsMessage
    text: OutgoingText
    provider: SmsProvider
    call: HttpCall
    has_second_way: bool = False


class Carrier:
    """Carries prepared texts to suppliers, at most ``parallel`` at a time; use it in a ``with`` block."""

    def __init__(self, *, parallel: int) -> None:
        self.under_way = 0
        self._parallel = parallel
        self._results: queue.SimpleQueue[tuple[Prepared, Result]] = queue.SimpleQueue()
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sms-carrier", daemon=True)

    def __enter__(self) -> Self:
        """Start the loop."""
        self._thread.start()
        self._is_ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the loop once everything under way has ended."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def take(self, items: Sequence[Prepared]) -> None:
        """Begin to carry ``items``."""
        if items:
            self.under_way += len(items)
            self._loop.call_soon_threadsafe(self._begin, items)

    def collect(self, *, wait: float) -> list[tuple[Prepared, Result]]:
        """Return what has ended, after waiting up to ``wait`` seconds for the first."""
        ended: list[tuple[Prepared, Result]] = []
        try:
            ended.append(self._results.get(timeout=wait) if wait else self._results.get_nowait())
            while True:
                ended.append(self._results.get_nowait())
        except queue.Empty:
            self.under_way -= len(ended)
        return ended

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        async with AsyncClient(policy_from_settings(), parallel=self._parallel) as client:
            self._client = client
            self._is_ready.set()
            await self._closing.wait()
            await asyncio.gather(*self._tasks)

    def _begin(self, items: Sequence[Prepared]) -> None:
        for item in items:
            task = self._loop.create_task(self._carry(item))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, item: Prepared) -> None:
        if time.monotonic() >= item.message.hand_over_before:
            self._results.put((item, NotHandedOver()))
            return
        try:
            result: Result = item.provider.read(await self._client.call(item.call, system=item.provider.name))
        except ConnectorError as error:
            result = error
        self._results.put((item, result))
