"""Gets databases and static files ready, doing only what is not done yet."""

import fcntl
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from ehrconnector.stack import databases
from ehrconnector.stack.children import PROJECT, manage
from ehrconnector.stack.errors import StackError
from ehrconnector.stack.process import Command, Process, Sink

STATIC = PROJECT / "staticfiles"


class Commands:
    """Runs Django commands to their end; ``kill()`` ends those that run."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._running: list[Process] = []

    def run(self, *arguments: str, env: Mapping[str, str]) -> None:
        """Run ``manage.py`` with these arguments.

        :raises StackError: when it fails, with the last lines it printed.
        """
        code, process = self.attempt(*arguments, env=env, sink=self.sink)
        if code:
            raise StackError(f"manage.py {arguments[0]} ended with status {code}:\n{process.output()}")

    def attempt(self, *arguments: str, env: Mapping[str, str], sink: Sink) -> tuple[int, Process]:
        """Run ``manage.py`` with these arguments; return its exit status and what is left of the process."""
        process = Process(Command(name=arguments[0], argv=manage(*arguments), env=env, cwd=PROJECT), sink)
        self._running.append(process)
        process.start()
        code = process.wait()
        self._running.remove(process)
        return code or 0, process

    def kill(self) -> None:
        """End every command that runs."""
        for process in list(self._running):
            process.kill()


def migrate(commands: Commands, *, env: Mapping[str, str], url: str, apps: Iterable[str], role: str = "") -> bool:
    """Bring a database to the newest migrations; say whether there was anything to do.

    Which migrations it has is noted on the database itself, so a start without news costs one query.

    :param role: who will work with the tables, if that is not their owner.
    """
    is_other = role not in {"", databases.role_of(url)}
    mark = f"migrations {fingerprint(_migrations(apps))}" + (f" for {role}" if is_other else "")
    if databases.read_mark(url) == mark:
        return False
    commands.run("migrate", "--no-input", "--verbosity=1", env=env)
    if is_other:
        commands.run("grant_database_access", role, env=env)
    databases.write_mark(url, mark)
    return True


def collect_static(commands: Commands, *, env: Mapping[str, str]) -> bool:
    """Collect and compress the product's static files if any changed; say whether there was anything to do."""
    STATIC.mkdir(exist_ok=True)
    stamp = STATIC / ".collected"
    wanted = fingerprint(PROJECT.glob("*/static/**/*"))
    with (STATIC / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two stacks of one checkout share these files
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return False
        commands.run("collectstatic", "--no-input", "--verbosity=0", env=env)
        stamp.write_text(wanted, encoding="utf-8")
        return True


def product_apps() -> list[str]:
    """Return the folders of this project that hold migrations of the product."""
    return sorted(path.parent.name for path in PROJECT.glob("*/migrations") if path.parent.name != "sandbox")


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a short digest of these files and of the locked requirements."""
    digest = hashlib.sha256()
    for path in sorted({PROJECT / "requirements.txt", *paths}):
        if path.is_file():
            digest.update(str(path.relative_to(PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _migrations(apps: Iterable[str]) -> list[Path]:
    return [path for app in apps for path in (PROJECT / app / "migrations").glob("*.py")]
