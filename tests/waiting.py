"""Wait for something another process does; it has no event that a test could listen to."""

import threading
import time
from collections.abc import Callable

_PAUSE = threading.Event()


def until(is_so: Callable[[], object], *, seconds: float = 30) -> None:
    """Return as soon as ``is_so``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        _PAUSE.wait(0.1)
