"""Ends what an unclean stop left behind."""

import os
import select
import signal
from pathlib import Path

from ehrconnector.stack.errors import StackError


def end_leftover(pid_file: Path, *, owner_folder: Path) -> None:
    """Deal with the server an unclean stop may have left behind on this data folder.

    Its pid file can name a server that is still shutting down, or a number that by now belongs to a
    stranger. We end the first and leave the second alone; the file goes in both cases.
    """
    try:
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if str(owner_folder) in _command_line(pid):
        _end_and_wait(pid)
    pid_file.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _end_and_wait(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        for number, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
            signal.pidfd_send_signal(handle, number)
            if _has_ended(handle, seconds):
                return
        raise StackError(f"An earlier PostgreSQL (process {pid}) does not stop. Stop it, then start again.")
    finally:
        os.close(handle)


def _has_ended(handle: int, seconds: float) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])
