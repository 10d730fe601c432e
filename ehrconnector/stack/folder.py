"""Where the stack keeps its data, and a place the servers' account can reach.

Everything lives in one data folder (``.data``). Only when root runs the stack from a folder that
the servers' account may not enter, the databases move to a folder of ours under the system's
temporary folder, noted in ``servers.path``. Folders that are not ours are never opened up.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from ehrconnector.stack.account import Account
from ehrconnector.stack.errors import StackError

PASS_THROUGH = 0o711  # others may walk through to what is theirs, but not look around
PREFIX = "ehr-connector-"
NOTED_BY = "belongs-to"
LOCK = "lock"
_NEWBORN_SECONDS = 60


class DataFolder:
    """One data folder, used by one stack at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.log = self.root / "log"
        self.tls = self.root / "tls"
        self._lock: TextIO | None = None
        self._make(self.root, mode=PASS_THROUGH)
        self._make(self.log, mode=0o700)
        self._make(self.tls, mode=0o700)

    @classmethod
    def throw_away(cls, account: Account | None) -> "DataFolder":
        """Create a locked folder that ``remove()``, or the next start after a crash, deletes."""
        folder = cls(_new_folder(account))
        folder.lock()
        return folder

    def lock(self) -> None:
        """Keep any other stack out of this folder until ``unlock()`` or our death.

        :raises StackError: when another stack already uses it.
        """
        file = (self.root / LOCK).open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StackError(
                f"A stack already runs on {self.root} (process {holder}). "
                "Stop it first, or give this one its own folder: STACK_DATA_DIR=.data-2."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    def unlock(self) -> None:
        """Let another stack in."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def servers_home(self, account: Account | None) -> Path:
        """Return the folder for databases: inside ours if the account can get there."""
        home = self.root / "servers"
        self._make(home, mode=0o755 if account else 0o700)
        if account is None or account.can_reach(home):
            return home
        return self._home_elsewhere(account)

    def remove(self) -> None:
        """Delete the folder with all its content."""
        self.unlock()
        shutil.rmtree(self.root, ignore_errors=True)

    def _home_elsewhere(self, account: Account) -> Path:
        pointer = self.root / "servers.path"
        with contextlib.suppress(FileNotFoundError):
            known = Path(pointer.read_text(encoding="utf-8").strip())
            if _is_ours(known) and account.can_reach(known):
                return known
        home = _new_folder(account)
        (home / NOTED_BY).write_text(str(self.root), encoding="utf-8")
        pointer.write_text(str(home), encoding="utf-8")
        return home

    @staticmethod
    def _make(path: Path, *, mode: int) -> None:
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)


def _new_folder(account: Account | None) -> Path:
    for base in _bases():
        sweep(base)
        if account is None or account.can_reach(base):
            home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            home.chmod(0o755 if account else 0o700)
            return home
    raise StackError(
        f"No folder is open to the account {account.name if account else ''}. "
        "Open /var/tmp to every account (mode 1777), or run as an ordinary user."
    )


def _bases() -> list[Path]:
    """Return temporary folders, the one that outlives a restart of the machine first."""
    folders = [Path("/var/tmp"), Path(tempfile.gettempdir())]  # noqa: S108 - entered through mkdtemp only
    return [folder for folder in folders if folder.is_dir()]


def sweep(base: Path) -> None:
    """Delete our folders that nobody needs any more: their checkout is gone, or their owner died."""
    for path in base.glob(f"{PREFIX}*"):
        if _is_ours(path) and time.time() - path.stat().st_mtime > _NEWBORN_SECONDS and _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and path.name.startswith(PREFIX)


def _is_abandoned(path: Path) -> bool:
    note = path / NOTED_BY
    if note.exists():
        return not Path(note.read_text(encoding="utf-8")).exists()
    with _try_lock(path / LOCK) as is_free:
        return is_free


@contextlib.contextmanager
def _try_lock(path: Path) -> Iterator[bool]:
    try:
        file = path.open("r", encoding="utf-8")
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
