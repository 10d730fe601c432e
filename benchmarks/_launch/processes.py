"""Processes of the product that are measured, with the stub for Epic and Graph."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ehrconnector.stack.children import WEB_CONNECTIONS, YIELDING
from ehrconnector.stack.ports import free_port

_START_SECONDS = 60.0
_QUEUE = "meetings"


@dataclass(frozen=True)
class Served:
    """A web process: where it listens, and its id."""

    url: str
    pid: int

    def computed(self) -> float:
        """Return how many seconds of a processor it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Return its resident memory in kB."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


@contextmanager
def web(application: str, elsewhere: Mapping[str, str]) -> Iterator[Served]:
    """Serve ``application`` in one process, as the stack serves the product.

    :param elsewhere: settings that lead to the stub.
    """
    port, host = free_port(), urlsplit(os.environ["PUBLIC_URL"]).hostname or ""
    command = [
        sys.executable, "-m", "uvicorn", application, f"--port={port}", "--lifespan=off", "--no-access-log",
        "--log-level=warning", "--backlog=8192",
    ]  # fmt: skip
    env = {**os.environ, "LOG_LEVEL": "ERROR", "DATABASE_POOL_SIZE": WEB_CONNECTIONS, **elsewhere}
    process = subprocess.Popen(command, env=env)  # noqa: S603 - built above
    try:
        _wait(host, port)
        yield Served(f"http://{host}:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def worker(elsewhere: Mapping[str, str]) -> Iterator[None]:
    """Do the work on meetings with a worker that calls the stub; the stack's would ask the sandbox for them.

    The sandbox knows no meeting of ours: it would be asked again and again, and take its share of the processors.
    """
    from ehrconnector.celery import app  # noqa: PLC0415 - wants the environment of the benchmark

    command = [
        *YIELDING, sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "--app=ehrconnector", "worker",
        f"--queues={_QUEUE}", "--concurrency=2", "--without-gossip", "--without-mingle", "--loglevel=ERROR",
        "--hostname=bench@%h",
    ]  # fmt: skip
    app.control.cancel_consumer(_QUEUE, reply=True)
    env = {**os.environ, "LOG_LEVEL": "ERROR", **elsewhere}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)  # noqa: S603 - built above
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        app.control.add_consumer(_QUEUE, reply=True)


def _wait(host: str, port: int) -> None:
    """Wait until somebody listens, which is when the application is loaded; asking for a page would be a request."""
    ends = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return
