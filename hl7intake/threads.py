"""Threads with a database connection each, for asynchronous code."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import TypeVar

from django.db import Error as DatabaseFailure
from django.db import connections

_LEAVE_SECONDS = 10.0

Result = TypeVar("Result")


class DatabaseThreads:
    """A bounded number of threads; a connection that broke is opened anew by the next piece of work."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="mllp")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do ``work`` in one of the threads and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _guarded, work)

    async def close(self) -> None:
        """Close every thread's database connection, then end the threads."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        together = Barrier(self._number)

        def leave() -> None:
            with contextlib.suppress(BrokenBarrierError):
                # Each thread waits for the others, so that each gets exactly one of these.
                together.wait(timeout=_LEAVE_SECONDS)
            connections.close_all()

        for _ in range(self._number):
            self._pool.submit(leave)
        self._pool.shutdown(wait=True)


def _guarded(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except DatabaseFailure:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        raise
