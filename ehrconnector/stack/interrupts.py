"""Turns Ctrl-C and the system's stop signals into one orderly way out."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

from ehrconnector.stack.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While active, the first signal raises ``Interrupted`` in the main thread; a second one ends everything hard."""

    def __init__(self, when_urgent: Callable[[], None]) -> None:
        self._when_urgent = when_urgent
        self._is_stopping = False

    def __enter__(self) -> "Interrupts":
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def stopping(self) -> None:
        """Say that the way out has begun: from now on a signal means "at once"."""
        self._is_stopping = True

    def wait(self) -> None:
        """Wait for a signal.

        :raises Interrupted: always, in the end.
        """
        threading.Event().wait()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._is_stopping:
            self._when_urgent()
            return
        self._is_stopping = True
        raise Interrupted(signal.Signals(number).name)
