"""What a person reads while the stack works: plain lines, coloured only on a terminal."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

_BOLD, _GREEN, _RED, _DIM, _OFF = "\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m"


class Terminal:
    """Writes progress, whole lines at a time."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._colours = stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str = "") -> None:
        """Write a line."""
        with self._lock:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def title(self, text: str) -> None:
        """Write a heading."""
        self.say(f"\n{self._in(_BOLD, text)}")

    def fail(self, text: str) -> None:
        """Write what went wrong."""
        self.say(f"\n{self._in(_RED, 'Stopped:')} {text}")

    @contextlib.contextmanager
    def step(self, label: str) -> Iterator[list[str]]:
        """Write a line once the block is done, with the time it took; the block may add details."""
        details: list[str] = []
        began = time.monotonic()
        try:
            yield details
        except BaseException:
            self.say(f"  {self._in(_RED, 'failed')}  {label}")
            raise
        took = f"{time.monotonic() - began:.1f} s"
        text = " ".join([label, *details])
        self.say(f"  {self._in(_GREEN, 'ready')}   {text:<62} {self._in(_DIM, took)}")

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_OFF}" if self._colours else text
