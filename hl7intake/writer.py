"""Group commit: whatever comes while one commit is under way shares the next.

A commit takes the disk as long for a hundred messages as for one, so nobody waits for more than two of them.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from django.db import connections

from hl7intake.services.receiving import Acknowledgement, Arrival

# Takes frames and returns an answer for each, once they are stored; runs in a thread of the writer.
Store = Callable[[Sequence[Arrival]], list[Acknowledgement]]

_MOST_FRAMES = 256
_MOST_BYTES = 4 * 1_048_576


@dataclass(frozen=True)
class _Request:
    arrivals: list[Arrival]
    answer: Callable[[list[Acknowledgement]], None]
    fail: Callable[[Exception], None]


class GroupWriter:
    """Collects frames of all connections and stores them together, in threads of its own.

    To be used from one event loop, in which it also calls back.

    :param writers: how many commits may be under way; with two, one prepares while the other waits for the disk.
    """

    def __init__(self, store: Store, *, writers: int) -> None:
        self._store = store
        self._idle = writers
        self._waiting: deque[_Request] = deque()
        self._groups: SimpleQueue[list[_Request] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._write_forever, name=f"mllp-writer-{number}", daemon=True)
            for number in range(writers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        arrivals: list[Arrival],
        *,
        answer: Callable[[list[Acknowledgement]], None],
        fail: Callable[[Exception], None],
    ) -> None:
        """Store ``arrivals`` in their order, then call ``answer`` with their answers, or ``fail``."""
        self._waiting.append(_Request(arrivals, answer, fail))
        self._dispatch()

    async def close(self) -> None:
        """Write what waits, then end the threads and their database connections."""
        for _ in self._threads:
            self._groups.put(None)
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _dispatch(self) -> None:
        if self._idle and self._waiting:
            self._idle -= 1
            self._groups.put(self._next_group())

    def _next_group(self) -> list[_Request]:
        group, frames, size = [], 0, 0
        while self._waiting and frames < _MOST_FRAMES and size < _MOST_BYTES:
            request = self._waiting.popleft()
            group.append(request)
            frames += len(request.arrivals)
            size += sum(len(arrival.raw) for arrival in request.arrivals)
        return group

    def _write_forever(self) -> None:
        while (group := self._groups.get()) is not None:
            try:
                answers = self._store([arrival for request in group for arrival in request.arrivals])
            except Exception as error:  # noqa: BLE001 - whoever waits is told; the writer goes on
                self._loop.call_soon_threadsafe(self._failed, group, error)
            else:
                self._loop.call_soon_threadsafe(self._stored, group, answers)
        connections.close_all()

    def _stored(self, group: list[_Request], answers: list[Acknowledgement]) -> None:
        self._idle += 1
        self._dispatch()
        start = 0
        for request in group:
            end = start + len(request.arrivals)
            request.answer(answers[start:end])
            start = end

    def _failed(self, group: list[_Request], error: Exception) -> None:
        self._idle += 1
        self._dispatch()
        for request in group:
            request.fail(error)
