"""Deliver to the connector's webhooks in the background: in order per addressee, repeated until taken.

Graph, Event Grid and Twilio all push; none waits for the customer. A letter is a function that returns
True once it was taken. Letters of one addressee never overtake each other, also not while one is repeated,
and a slow addressee holds up nobody else.
"""

import heapq
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

logger = logging.getLogger(__name__)

Letter = Callable[[], bool]

_SUCCESS = range(200, 300)

_FIRST_REPEAT_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0


def is_taken(status: int) -> bool:
    """Tell whether an HTTP status says that a delivery was taken; 0 stands for no answer."""
    return status in _SUCCESS


@dataclass(frozen=True)
class Policy:
    """How long one letter is repeated before it is given up: by number of tries and by age in seconds."""

    tries: int
    age_seconds: float


@dataclass
class _Item:
    letter: Letter
    policy: Policy
    not_before: float
    written_at: float = field(default_factory=time.monotonic)
    tries: int = 0

    def is_exhausted(self) -> bool:
        return self.tries >= self.policy.tries or time.monotonic() - self.written_at >= self.policy.age_seconds

    def postpone(self) -> None:
        pause = min(_FIRST_REPEAT_SECONDS * 2 ** (self.tries - 1), _LONGEST_PAUSE_SECONDS)
        self.not_before = time.monotonic() + pause


class Courier:
    """A few daemon threads that wake when a letter is due, and sleep otherwise."""

    def __init__(self, *, workers: int = 4) -> None:
        self._changed = threading.Condition()
        self._queues: defaultdict[str, deque[_Item]] = defaultdict(deque)
        self._due: list[tuple[float, str]] = []
        self._workers = workers
        self._started = False

    def send(self, addressee: str, letter: Letter, *, policy: Policy, delay: float = 0.0) -> None:
        """Queue ``letter`` behind everything the addressee still has to get.

        :param delay: seconds to wait before the first try.
        """
        with self._changed:
            self._start()
            queue = self._queues[addressee]
            queue.append(_Item(letter, policy, time.monotonic() + delay))
            if len(queue) == 1:
                self._schedule(addressee)

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        for number in range(self._workers):
            threading.Thread(target=self._work, name=f"courier-{number}", daemon=True).start()

    def _schedule(self, addressee: str) -> None:
        heapq.heappush(self._due, (self._queues[addressee][0].not_before, addressee))
        self._changed.notify()

    def _work(self) -> None:
        while True:
            addressee, item = self._next()
            is_done = self._try(item)
            self._settle(addressee, item, is_done=is_done)

    def _next(self) -> tuple[str, _Item]:
        with self._changed:
            while True:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    addressee = heapq.heappop(self._due)[1]
                    return addressee, self._queues[addressee][0]
                self._changed.wait(self._due[0][0] - now if self._due else None)

    @staticmethod
    def _try(item: _Item) -> bool:
        item.tries += 1
        try:
            return item.letter()
        except Exception:  # a worker must outlive any letter
            logger.exception("a delivery failed unexpectedly")
            return False
        finally:
            connection.close()

    def _settle(self, addressee: str, item: _Item, *, is_done: bool) -> None:
        with self._changed:
            queue = self._queues[addressee]
            if is_done or item.is_exhausted():
                queue.popleft()
            else:
                item.postpone()
            if queue:
                self._schedule(addressee)
            else:
                del self._queues[addressee]


courier = Courier()
