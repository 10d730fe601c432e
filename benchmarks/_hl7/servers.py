"""The listeners that are measured, each a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class NotListening(Exception):
    """A server did not say where it listens."""


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple[int, int, float]]:
    """Run ``python ARGUMENTS`` and give its port, process id and the seconds it took to listen.

    :raises NotListening: when its first line names no port.
    """
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = process.stdout.readline()
        found = re.search(r"(?:port |:)(\d+)", line)
        if not found:
            raise NotListening(f"{arguments}: {line!r}")
        yield int(found.group(1)), process.pid, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


def memory_of(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)
