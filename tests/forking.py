"""Workers to be killed: one process loads the product and forks a worker for each line it reads."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

from django.conf import settings
from django.db import connection

from ehrconnector.stack.databases import with_database


class Forker:
    """The process that forks ``module``'s workers; it begins with the first of them."""

    def __init__(self, module: str, **variables: str) -> None:
        self._module = module
        self.env = {**_variables(), **variables}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> int:
        """Start a worker and return its pid."""
        if self._process is None:
            command = [sys.executable, "-m", self._module]
            self._process = subprocess.Popen(  # noqa: S603 - built above
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.env, start_new_session=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        """Kill whoever is left."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _variables() -> Mapping[str, str]:
    """Return what lets a process work on this test's database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "ehrconnector.settings",
        "DATABASE_URL": with_database(os.environ["DATABASE_URL"], connection.settings_dict["NAME"]),
        "REDIS_URL": settings.REDIS_URL,
        "LOG_LEVEL": "ERROR",
    }


def fork_for_each_line(work: Callable[[], NoReturn]) -> None:
    """Fork a worker for each line of standard input and print its pid."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
