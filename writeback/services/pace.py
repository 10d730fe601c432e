"""No more calls a second than the hospital allows."""

import time
from collections.abc import Callable


class Pace:
    """A token bucket: ``most_a_second`` calls may begin within a second, after a rest a tenth of that at once."""

    def __init__(self, most_a_second: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = most_a_second
        self._most = max(1.0, most_a_second / 10)
        self._clock = clock
        self._tokens = self._most
        self._at = clock()

    def allowed(self, wanted: int) -> int:
        """Return how many of ``wanted`` calls may begin now."""
        self._refill()
        return min(wanted, int(self._tokens))

    def take(self, count: int) -> None:
        """Count ``count`` calls that begin now."""
        self._tokens -= count

    def seconds_to_next(self) -> float:
        """Return how long until another call may begin."""
        self._refill()
        return max(1 - self._tokens, 0.0) / self._rate

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._at) * self._rate, self._most)
        self._at = now
