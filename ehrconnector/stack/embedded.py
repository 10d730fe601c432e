"""A real PostgreSQL and a real Valkey as child processes, for trying out and for tests.

Both listen on 127.0.0.1 only and ask for a password. Valkey keeps nothing on disk: every row of
work is in PostgreSQL, so losing Valkey loses nothing.
"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from ehrconnector.stack import ports
from ehrconnector.stack.account import Account
from ehrconnector.stack.binaries import find_postgres, find_valkey, reachable_postgres, reachable_valkey
from ehrconnector.stack.errors import StackError
from ehrconnector.stack.leftover import end_leftover
from ehrconnector.stack.process import Command, Process, Sink

SUPERUSER = "connector"
START_SECONDS = 60.0  # recovery after a crash can take a while
_ATTEMPTS = 3  # a free port may be taken between choosing and listening
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_ROOT = Path("/")  # a working folder every account may enter


class Postgres:
    """One PostgreSQL cluster in a folder, run by us."""

    def __init__(self, home: Path, *, account: Account | None, is_durable: bool, sink: Sink, port: int = 0) -> None:
        self.account = account
        self.is_durable = is_durable
        self.sink = sink
        self.port = port
        self.programs = reachable_postgres(find_postgres(), account=account, home=home)
        self.folder = home / f"postgres-{self.programs.major}-data"
        self.cluster = self.folder / "cluster"
        self._process: Process | None = None
        self._password = ""

    @property
    def label(self) -> str:
        """Name and version for people."""
        return f"PostgreSQL {self.programs.version}"

    def start(self) -> None:
        """Create the cluster if there is none, and return once it accepts connections.

        :raises StackError: when it does not start.
        """
        if not self.cluster.is_dir():
            self._create_cluster()
        self._password = (self.folder / "password").read_text(encoding="utf-8").strip()
        end_leftover(self.cluster / "postmaster.pid", owner_folder=self.cluster)
        self._process, self.port = start_listening(self._command, sink=self.sink, port=self.port)

    def stop(self) -> None:
        """End every session, write everything down, stop."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """End it without writing anything down, for data nobody wants."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def url(self, database: str) -> str:
        """Return the address of a database in this cluster."""
        return f"postgres://{SUPERUSER}:{self._password}@{ports.LOOPBACK}:{self.port}/{database}"

    def _create_cluster(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        draft = self.folder / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        if self.account:
            self.account.own(self.folder)
            self.account.own(password)
        _run(
            [
                str(self.programs.bin / "initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                *([] if self.is_durable else ["--no-sync"]),
            ],
            account=self.account,
        )
        draft.rename(self.cluster)

    def _command(self, port: int) -> Command:
        settings = [
            f"port={port}",
            f"listen_addresses={ports.LOOPBACK}",
            "unix_socket_directories=",
            "max_connections=200",
            *(() if self.is_durable else _QUICK),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        return Command(
            name="PostgreSQL",
            argv=[str(self.programs.bin / "postgres"), "-D", str(self.cluster), *options],
            env=_PLAIN_ENVIRONMENT,
            cwd=_ROOT,
            account=self.account,
            ready_line="database system is ready to accept connections",
            stop_signal=signal.SIGINT,  # "fast shutdown": ends sessions, then stops cleanly
            death_signal=signal.SIGINT,  # also the only way to end its own children with it
            grace_seconds=20.0,
        )


class Valkey:
    """One Valkey (or Redis) server that keeps nothing, run by us."""

    def __init__(self, home: Path, *, account: Account | None, sink: Sink, port: int = 0) -> None:
        self.account = account
        self.sink = sink
        self.port = port
        self.program = reachable_valkey(find_valkey(), account=account, home=home)
        self._password = secrets.token_urlsafe(24)
        self._process: Process | None = None

    @property
    def label(self) -> str:
        """Name for people."""
        return "Valkey" if "valkey" in self.program.name else "Redis"

    def start(self) -> None:
        """Return once it accepts connections.

        :raises StackError: when it does not start.
        """
        self._process, self.port = start_listening(self._command, sink=self.sink, port=self.port)

    def stop(self) -> None:
        """Stop; what it held is gone."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def url(self, database: int = 0) -> str:
        """Return the address of one of its numbered databases."""
        return f"redis://:{self._password}@{ports.LOOPBACK}:{self.port}/{database}"

    def _command(self, port: int) -> Command:
        # On standard input, because arguments are visible to every account of the machine.
        configuration = [
            f"port {port}",
            f"bind {ports.LOOPBACK}",
            f"requirepass {self._password}",
            'save ""',
            "appendonly no",
            "databases 64",
            "daemonize no",
        ]
        return Command(
            name=self.label,
            argv=[str(self.program), "-"],
            env=_PLAIN_ENVIRONMENT,
            cwd=_ROOT,
            account=self.account,
            stdin="\n".join(configuration) + "\n",
            ready_line="eady to accept connections",  # "Ready" in Valkey, "ready" in some versions of Redis
        )


def start_listening(command_for: Callable[[int], Command], *, sink: Sink, port: int) -> tuple[Process, int]:
    """Start a server on ``port``, or on a free one if it is 0; return it with its port.

    :raises StackError: when it does not become ready.
    """
    for attempt in range(_ATTEMPTS):
        chosen = port or ports.free_port()
        process = Process(command_for(chosen), sink)
        process.start()
        if process.wait_ready(START_SECONDS):
            return process, chosen
        process.stop()
        is_unlucky = "in use" in process.output() and not port
        if not is_unlucky or attempt == _ATTEMPTS - 1:
            break
    raise StackError(f"{process.command.name} did not start on port {chosen}:\n{process.output()}")


def _run(argv: list[str], *, account: Account | None) -> None:
    done = subprocess.run(  # noqa: S603 - argument lists built above
        argv,
        env=_PLAIN_ENVIRONMENT,
        cwd=_ROOT,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"{Path(argv[0]).name} failed:\n{done.stdout}{done.stderr}")
