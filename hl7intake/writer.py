"""Group commit: whatever comes while one commit is under way shares the next.

A commit takes the disk as long for a hundred messages as for one, so nobody waits for more than two of them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from hl7intake.intake import Parcel
from hl7intake.services.judging import Acknowledgement

# Returns an answer for each frame of the parcels, once they are stored.
Store = Callable[[list[Parcel]], Awaitable[list[Acknowledgement]]]

_MOST_FRAMES = 256
_MOST_BYTES = 4 * 1_048_576

logger = logging.getLogger(__name__)


class Client(Protocol):
    """Who waits for the answers to a parcel."""

    def answer(self, answers: list[Acknowledgement]) -> None:
        """Take an answer for each frame."""

    def fail(self, error: Exception) -> None:
        """Take it that nobody knows whether the frames are stored."""


class GroupWriter:
    """Collects parcels of all connections and has them stored together, one group after another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[tuple[Parcel, Client]] = deque()
        self._news = asyncio.Event()
        self._is_closing = False
        self._task = asyncio.create_task(self._write_forever())

    def submit(self, parcel: Parcel, client: Client) -> None:
        """Store ``parcel``, then tell ``client``."""
        self._waiting.append((parcel, client))
        self._news.set()

    async def close(self) -> None:
        """Write what waits, then end."""
        self._is_closing = True
        self._news.set()
        await self._task

    async def _write_forever(self) -> None:
        while not (self._is_closing and not self._waiting):
            await self._news.wait()
            if not self._is_closing:
                self._news.clear()
            while self._waiting:
                await self._write(self._next_group())

    def _next_group(self) -> list[tuple[Parcel, Client]]:
        group, frames, size = [], 0, 0
        while self._waiting and frames < _MOST_FRAMES and size < _MOST_BYTES:
            one = self._waiting.popleft()
            group.append(one)
            frames += len(one[0].arrivals)
            size += one[0].size
        return group

    async def _write(self, group: list[tuple[Parcel, Client]]) -> None:
        try:
            answers = await self._store([parcel for parcel, _ in group])
        except Exception as error:  # noqa: BLE001 - whoever waits is told; the writer goes on
            for _, client in group:
                client.fail(error)
            return
        start = 0
        for parcel, client in group:
            end = start + len(parcel.arrivals)
            client.answer(answers[start:end])
            start = end
