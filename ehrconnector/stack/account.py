"""The system account the embedded servers run as.

PostgreSQL refuses to run as root. Root therefore hands the servers to an account that exists
anyway; nobody else changes accounts, and no account is ever created.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Say whether the account may enter this folder, or read and run this file.

        Asked of the system itself rather than worked out from mode bits, so that access lists and
        every folder above count too.
        """
        test = shutil.which("test") or "/usr/bin/test"
        done = subprocess.run(  # noqa: S603 - a fixed program; the path is one argument
            [test, "-r", str(path), "-a", "-x", str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return done.returncode == 0

    def own(self, path: Path) -> None:
        """Give this file or folder to the account."""
        os.chown(path, self.uid, self.gid)


def server_account() -> Account | None:
    """Return whom the servers must run as, or None when they may run as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    return Account(name="nobody", uid=65534, gid=65534)
