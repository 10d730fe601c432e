"""Keeps the processes of a stack alive, and stops them all."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ehrconnector.stack.errors import StackError
from ehrconnector.stack.health import Probe
from ehrconnector.stack.logs import LogFile
from ehrconnector.stack.process import Command, Process

LONGEST_PAUSE = 30.0  # seconds between two attempts to start a child that keeps crashing
STEADY_SECONDS = 60.0  # a run this long clears the record of earlier crashes
CRASHES_AT_START = 3  # this many, and starting is given up
_PROBE_EVERY = 0.2


@dataclass
class Child:
    """One process to keep alive: started again whenever it ends, after a growing pause."""

    command: Command
    log: LogFile
    echo: Callable[[str], None]
    crashes: int = 0
    process: Process | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The child's name in logs and messages."""
        return self.command.name

    def start(self) -> None:
        """Start it and keep it alive until ``stop()``."""
        self.process = self._begin()
        self._keeper = threading.Thread(target=self._keep, name=f"restart-{self.name}", daemon=True)
        self._keeper.start()

    def ask_to_stop(self) -> None:
        """Send the stop signal without waiting, and do not start it again."""
        self._stopping.set()
        if self.process:
            self.process.ask_to_stop()

    def stop(self) -> None:
        """Stop it, within its grace period, and everything it started."""
        self._stopping.set()
        if self.process:
            self.process.stop()
        if self._keeper:
            self._keeper.join()
        self.log.close()

    def _begin(self) -> Process:
        process = Process(self.command, self._write)
        process.start()
        return process

    def _keep(self) -> None:
        while self.process:
            began = time.monotonic()
            code = self.process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > STEADY_SECONDS:
                self.crashes = 0
            pause = min(2.0**self.crashes, LONGEST_PAUSE)
            self.crashes += 1
            self._write(f"[supervisor] {self.name} ended with status {code}; starting it again in {pause:g} s")
            if self._stopping.wait(pause):
                return
            self.process = self._begin()
            if self._stopping.is_set():  # stop() saw only the run before this one
                self.process.stop()

    def _write(self, line: str) -> None:
        self.log.write(line)
        self.echo(line)


class Supervisor:
    """Starts children, waits until they are healthy, stops them."""

    def __init__(self, log_folder: Path, *, echo: Callable[[str], None] | None = None) -> None:
        self.log_folder = log_folder
        self.children: list[Child] = []
        self._echo = echo
        self._write_lock = threading.Lock()

    def start(self, command: Command) -> None:
        """Start one child and keep it alive."""
        child = Child(command, LogFile(self.log_folder / f"{command.name}.log"), self._echo_for(command.name))
        self.children.append(child)
        child.start()

    def wait_healthy(self, probe: Probe, *, seconds: float) -> None:
        """Return once the probe answers well.

        :raises StackError: when it does not within ``seconds``, or a child keeps crashing, saying what
            is unhealthy and what was printed last.
        """
        deadline = time.monotonic() + seconds
        pause = threading.Event()  # never set: what we wait for is across a socket
        while not (found := probe.ask()).is_healthy:
            crashed = [child for child in self.children if child.crashes >= CRASHES_AT_START]
            if crashed or time.monotonic() > deadline:
                raise StackError(self._explain(f"{probe.name}: {found.reason}", suspects=crashed))
            pause.wait(_PROBE_EVERY)

    def stop(self) -> None:
        """Stop every child: all are asked at once, each is given its grace period."""
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.stop()

    def kill(self) -> None:
        """End every child at once."""
        for child in self.children:
            if child.process:
                child.process.kill()

    def _explain(self, reason: str, *, suspects: list[Child]) -> str:
        parts = [f"Not healthy: {reason}"]
        troubled = suspects or [child for child in self.children if child.crashes] or self.children
        for child in troubled:
            output = child.process.output() if child.process else ""
            parts.append(f"--- the last lines of {child.log.path}:\n{output or '(nothing)'}")
        return "\n".join(parts)

    def _echo_for(self, name: str) -> Callable[[str], None]:
        echo = self._echo
        if echo is None:
            return lambda _line: None

        def write(line: str) -> None:
            with self._write_lock:
                echo(f"{name:<8}| {line}")

        return write
