"""Small programs that tests run as separate processes."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.process import Command

HOLD_POSTGRES = """
import signal, sys
from pathlib import Path
from ehrconnector.stack.account import server_account
from ehrconnector.stack.embedded import Postgres
from ehrconnector.stack.folder import DataFolder
folder, account = DataFolder(Path(sys.argv[1])), server_account()
folder.lock()
postgres = Postgres(folder.servers_home(account), account=account, is_durable=True, sink=lambda line: None)
postgres.start()
print(postgres.url("postgres"), postgres._process.pid, flush=True)
signal.pause()
"""

HOLD_CHILD = """
import signal, sys
from pathlib import Path
from ehrconnector.stack.process import Command, Process
import os
child = Process(Command(name="child", argv=["sleep", "60"], env=dict(os.environ), cwd=Path("/")), lambda line: None)
child.start()
print(child.pid, flush=True)
signal.pause()
"""


def python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a Python program that can import this project."""
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    argv = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603 - programs above


def shell(script: str, *, name: str = "child", ready_line: str = "", grace_seconds: float = 5.0) -> Command:
    """Return a command that runs a shell script."""
    argv: Sequence[str] = ["/bin/sh", "-c", script]
    return Command(
        name=name, argv=argv, env=dict(os.environ), cwd=Path("/"), ready_line=ready_line, grace_seconds=grace_seconds
    )


def has_ended(pid: int, *, seconds: float = 10.0) -> bool:
    """Say whether a process that is not our child ends in time (a zombie nobody collects has ended)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False
