"""Leave Graph alone for as long as it asked: calls in between would only lengthen the wait.

Documentation: learn.microsoft.com/graph/throttling: "wait the number of seconds in Retry-After, retry". The
limits are per application and tenant. Every process learns by itself. Checked: 2026-11-24.
"""

import math
import time

from core.errors import UpstreamUnavailable
from meetings.providers.teams.connection import TeamsConnection

# What Graph asks for is seconds to minutes; an answer of days must not stop visits for days.
LONGEST_SECONDS = 300.0

# Monotonic time until which an application keeps quiet.
_quiet_until: dict[TeamsConnection, float] = {}


def check(connection: TeamsConnection) -> None:
    """Refuse a call that Graph asked us not to make yet.

    :raises UpstreamUnavailable: ``graph.throttled`` with the seconds that are left, rounded up.
    """
    left = _quiet_until.get(connection, 0.0) - time.monotonic()
    if left > 0:
        raise UpstreamUnavailable("graph.throttled", detail="not asked again yet", retry_after=math.ceil(left))


def note(connection: TeamsConnection, seconds: float | None) -> None:
    """Keep quiet for ``seconds`` from now on; None means that Graph asked for nothing."""
    if seconds:
        _quiet_until[connection] = time.monotonic() + min(seconds, LONGEST_SECONDS)


def forget_all() -> None:
    """Forget what Graph asked for."""
    _quiet_until.clear()
