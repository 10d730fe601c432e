"""See to it that stored messages take effect: by the workers, or here while none can be reached."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from django.utils import timezone

from core.jobs import enqueue
from hl7intake.services.processing import apply_due
from hl7intake.tasks import apply_received

# One call of the workers is enough for everything that comes within this time; it grows while messages keep coming,
# since a worker that was called goes on as long as it finds some.
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 0.4
# Our own threads have senders to answer too.
_OWN_TURN_SECONDS = 1.0

logger = logging.getLogger(__name__)


def call_workers() -> bool:
    """Have the workers look for stored messages; return False when they cannot be reached."""
    return enqueue(apply_received)


def apply_here() -> bool:
    """Let stored messages take effect in this process for a moment; return whether more may be due."""
    until = monotonic() + _OWN_TURN_SECONDS
    while apply_due(now=timezone.now()):
        if monotonic() >= until:
            return True
    return False


class Waker:
    """Calls the workers soon after something was stored, and does their work when they do not hear.

    :param run: runs a function in a thread that may use the database.
    :param call: calls the workers; returns False when they cannot be reached.
    """

    def __init__(self, run: Callable[[Callable[[], bool]], Awaitable[bool]], *, call: Callable[[], bool]) -> None:
        self._run = run
        self._call = call
        self._has_news = False
        self._task: asyncio.Task[None] | None = None
        self._is_alone = False

    def note(self) -> None:
        """Remember that something was stored."""
        self._has_news = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    def look_after(self) -> None:
        """Try again what failed, if nobody else does; called once in a while."""
        if self._is_alone:
            self.note()

    async def close(self) -> None:
        """Finish what was begun."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        pause = _PAUSE_SECONDS
        while self._has_news:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._has_news = False
            try:
                self._is_alone = not await self._run(self._call)
                if self._is_alone and await self._run(apply_here):
                    self._has_news = True
            except Exception as error:  # noqa: BLE001 - the rows stay; the next tick of the schedule finds them
                logger.warning("stored messages not seen to", extra={"error": type(error).__name__})
