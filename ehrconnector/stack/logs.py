"""Log files of child processes."""

import threading
from pathlib import Path
from typing import TextIO

MAX_BYTES = 10 * 1024 * 1024


class LogFile:
    """A log that starts anew with each start of the stack and keeps one earlier file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        if path.exists():
            path.replace(path.with_suffix(".log.1"))

    def write(self, line: str) -> None:
        """Append one line, visible to readers at once."""
        with self._lock:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8", buffering=1)
            self._file.write(f"{line}\n")
            if self._file.tell() > MAX_BYTES:
                self._file.close()
                self._file = None
                self.path.replace(self.path.with_suffix(".log.1"))

    def close(self) -> None:
        """Close the file; a later line would open it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
