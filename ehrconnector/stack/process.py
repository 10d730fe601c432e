"""Child processes that cannot outlive us, with their output in a log.

A child is bound to us twice. It leads a process group of its own, so that ending it ends whatever
it started. And the kernel signals it when we die, even by ``kill -9`` (``PR_SET_PDEATHSIG``, Linux).
The kernel watches the *thread* that started the child, so every child has a thread of its own that
starts it and then waits for its end.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ehrconnector.stack.account import Account
from ehrconnector.stack.errors import StackError

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork

Sink = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Command:
    """How to start, recognise as ready and stop one child."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    stdin: str = ""
    ready_line: str = ""  # printed by the child once it serves
    stop_signal: signal.Signals = signal.SIGTERM  # asks it to end
    death_signal: signal.Signals = signal.SIGKILL  # sent if we die: then nobody is left to insist
    grace_seconds: float = 10.0


@dataclass
class Process:
    """One run of a command."""

    command: Command
    sink: Sink
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=15))
    pid: int = 0
    exit_code: int | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _begun: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _failure: OSError | None = None

    def start(self) -> None:
        """Start the child and return once it runs.

        :raises StackError: when its program cannot be started.
        """
        threading.Thread(target=self._keep, name=f"keep-{self.command.name}", daemon=True).start()
        self._begun.wait()
        if self._failure:
            raise StackError(f"{self.command.name} cannot be started: {self._failure}") from self._failure

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, or None if the child still runs after ``timeout`` seconds."""
        self._ended.wait(timeout)
        return self.exit_code

    def wait_ready(self, timeout: float) -> bool:
        """Say whether the child printed its ready line within ``timeout`` seconds, and lives."""
        return self._ready.wait(timeout) and not self._ended.is_set()

    def is_running(self) -> bool:
        """Say whether the child was started and has not ended."""
        return self.pid != 0 and not self._ended.is_set()

    def ask_to_stop(self) -> None:
        """Send the stop signal, without waiting."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.command.stop_signal)

    def stop(self) -> None:
        """Ask the child to end, and after its grace period kill it and all it started."""
        if not self.pid:
            return
        self.ask_to_stop()
        if not self._ended.wait(self.command.grace_seconds):
            self.kill()
            self._ended.wait()

    def kill(self) -> None:
        """End the child and everything it started, at once."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def output(self) -> str:
        """Return the last lines the child printed."""
        return "\n".join(self.last_lines)

    def _keep(self) -> None:
        try:
            with self._spawn() as popen:
                pump = threading.Thread(target=self._pump, args=(popen,), name=f"log-{self.command.name}", daemon=True)
                pump.start()
                self.pid = popen.pid
                self._begun.set()
                code = popen.wait()
                self.kill()  # what it left behind in its group would hold the pipe open
                pump.join()
                self.exit_code = code
        except OSError as error:
            self._failure = error
        finally:
            self._ended.set()
            self._ready.set()
            self._begun.set()

    def _spawn(self) -> subprocess.Popen[str]:
        command = self.command
        account = command.account
        popen = subprocess.Popen(  # noqa: S603 - argument lists built by this package, never a shell
            list(command.argv),
            env=dict(command.env),
            cwd=command.cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_bound_to_us(command.death_signal),  # noqa: PLW1509 - one system call, library loaded before
        )
        _feed(popen, command.stdin)
        return popen

    def _pump(self, popen: subprocess.Popen[str]) -> None:
        if popen.stdout is None:
            return
        for raw in popen.stdout:
            line = raw.rstrip("\n")
            self.last_lines.append(line)
            self.sink(line)
            if self.command.ready_line and self.command.ready_line in line:
                self._ready.set()


def _feed(popen: subprocess.Popen[str], text: str) -> None:
    if popen.stdin:
        with contextlib.suppress(BrokenPipeError):
            popen.stdin.write(text)
            popen.stdin.close()


def _bound_to_us(death_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def bind() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)

    return bind
