"""Hold an answer back, as a slow or hanging supplier does."""

import threading

LATE_SECONDS = 12.0
HANG_SECONDS = 60.0

_never = threading.Event()


def hold(seconds: float) -> None:
    """Keep the caller waiting; the time passing is the fault itself, so there is no event to wait for."""
    _never.wait(seconds)
