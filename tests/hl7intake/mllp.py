"""A listener in this process for tests, and plain sockets to talk to it."""

import asyncio
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections

from hl7intake.framing import Framer
from hl7intake.mllp import Listener, ListenerOptions
from hl7intake.reader import read
from hl7intake.trust import ServerIdentity
from tests.hl7intake.messages import NEW, change, load


class RunningListener:
    """A listener in a thread of its own."""

    def __init__(self, options: ListenerOptions) -> None:
        self._ready = threading.Event()
        self._options = options
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        if self._error:
            raise self._error

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def connections(self) -> int:
        return len(self.listener._connections)

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self._error = error
            self._ready.set()
            raise

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.listener = Listener(self._options)
        await self.listener.start()
        self._ready.set()
        await self.listener.serve()

    def begin_to_stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.listener.stop)

    def stop(self) -> None:
        if self._thread.is_alive():
            self.begin_to_stop()
        self._thread.join(30)
        assert not self._thread.is_alive()


@contextmanager
def listening(**values: Any) -> Iterator[RunningListener]:
    """Run a listener that no worker hears, so that messages take effect in it."""
    options = {"host": "127.0.0.1", "port": 0, "call_workers": lambda: False, **values}
    running = RunningListener(ListenerOptions(**options))
    try:
        yield running
    finally:
        running.stop()


class Peer:
    """The other end, byte by byte."""

    def __init__(self, port: int, context: ssl.SSLContext | None, *, timeout: float = 10.0) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = context.wrap_socket(plain) if context else plain
        except BaseException:
            plain.close()
            raise
        self._framer = Framer(limit=1_048_576)
        self._waiting: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> bytes:
        """Return the next answer; EOFError when the connection ends first."""
        while not self._waiting:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError
            self._waiting += self._framer.feed(data)
        return self._waiting.pop(0)

    def is_closed_by_peer(self) -> bool:
        """Wait for the end of the connection."""
        try:
            return self.socket.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def numbered(number: int, raw: bytes | None = None) -> bytes:
    return change(raw or load(NEW), ("MSH", 10, f"N{number}"), ("SCH", 2, f"9{number}"), ("PV1", 19, f"9{number}"))


def code(answer: bytes) -> tuple[str, str]:
    msa = read(answer).first("MSA")
    return msa.raw(1), msa.raw(2)


def eventually(condition, *, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _environment(server: ServerIdentity) -> dict[str, str]:
    database = django_settings.DATABASES["default"]
    address = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    if not database["HOST"]:
        pytest.skip("the database has no TCP address")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "ehrconnector.settings",
        "DATABASE_URL": f"{address}/{connections['default'].settings_dict['NAME']}",
        "MLLP_TLS_CERTIFICATE_PATH": server.certificate_path,
        "MLLP_TLS_KEY_PATH": server.key_path,
        "PYTHONUNBUFFERED": "1",
    }


def start_listener(server: ServerIdentity, *arguments: str, **environment: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "manage.py", "run_mllp", "--host", "127.0.0.1", *arguments]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command,
        env=_environment(server) | environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"Listening for HL7 on 127\.0\.0\.1:(\d+) \(TLS\)", line)
    assert found, line
    return process, int(found.group(1))


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
