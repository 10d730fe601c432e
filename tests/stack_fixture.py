"""The sandbox alone, and the whole stack, as real processes on ports and databases of their own.

Tests that use one carry ``@pytest.mark.xdist_group("sandbox")`` or ``xdist_group("stack")``, so that
one worker runs them all and starts it once.
"""

import datetime as dt
import io
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from ehrconnector.stack import children
from ehrconnector.stack.certificates import ensure_certificates
from ehrconnector.stack.databases import drop_database, ensure_database, ensure_role, with_database
from ehrconnector.stack.demo import free_addresses
from ehrconnector.stack.environment import for_product, for_sandbox
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.preparation import Commands, migrate
from ehrconnector.stack.servers import Servers
from ehrconnector.stack.stack import START_SECONDS, Stack, sandbox_probe
from ehrconnector.stack.supervisor import Supervisor
from ehrconnector.stack.terminal import Terminal
from ehrconnector.stack.throwaway import WORKER
from tests.switch import Switch

# Tests count Redis databases from below, stacks from above: two stacks on one would take each other's tasks.
STACK_REDIS_NUMBER = 15 - int(os.environ.get(WORKER, "gw0").removeprefix("gw"))


@dataclass(frozen=True, kw_only=True)
class RunningSandbox:
    """A sandbox process."""

    url: str
    log: Path
    tls: Path  # holds listener.crt, listener.key, bridges.crt, bridges.key


@dataclass(frozen=True, kw_only=True)
class RunningStack:
    """Product and sandbox, seeded and healthy."""

    web: str
    sandbox: str
    mllp_port: int
    log: Path
    tls: Path
    env: Mapping[str, str] = field(repr=False)
    owner_url: str = field(repr=False)  # of the product's database; the product itself runs as a lesser role
    redis: Switch  # the product's cable to Redis
    twin: Switch  # everybody's cable to the sandbox
    sandbox_behind: str  # the sandbox itself, past the cable

    def query(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows of a query to the product's database."""
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(sql, values).fetchall()

    def manage(self, *arguments: str, timeout: float = 120.0) -> "subprocess.CompletedProcess[str]":
        """Run a Django command with the stack's variables and return what it printed and its exit status."""
        return subprocess.run(  # noqa: S603 - built by this project
            children.manage(*arguments),
            env=for_product(self.env),
            cwd=children.PROJECT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The sandbox process with a database of its own; its MLLP sender has a client certificate."""
    folder = DataFolder(tmp_path_factory.mktemp("sandbox"))
    addresses = free_addresses()
    url = _own_database("sandbox")
    variables = {
        "SANDBOX_DATABASE_URL": url,
        "SANDBOX_URL": addresses.sandbox,
        "SANDBOX_SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-0123456789",
        "SANDBOX_MLLP_CLIENT_CERTIFICATE_PATH": str(folder.tls / "bridges.crt"),
        "SANDBOX_MLLP_CLIENT_KEY_PATH": str(folder.tls / "bridges.key"),
        "SANDBOX_MLLP_CA_PATH": str(folder.tls / "listener.crt"),
    }
    ensure_certificates(folder.tls, now=dt.datetime.now(dt.UTC))
    migrate(Commands(_ignore), env=for_sandbox(variables), url=url, apps=["sandbox"])
    supervisor = Supervisor(folder.log)
    supervisor.start(children.sandbox(variables, addresses))
    try:
        supervisor.wait_healthy(sandbox_probe(addresses), seconds=START_SECONDS)
        yield RunningSandbox(url=addresses.sandbox, log=folder.log / "sandbox.log", tls=folder.tls)
    finally:
        supervisor.stop()
        drop_database(url)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Web, worker, beat, HL7 listener and sandbox, with Lamna Healthcare set up."""
    with run_stack(tmp_path_factory.mktemp("stack"), name="stack", redis_number=STACK_REDIS_NUMBER) as running:
        yield running


@contextmanager
def run_stack(path: Path, *, name: str, redis_number: int) -> Iterator[RunningStack]:
    """Run a whole stack below ``path``, on databases called after ``name`` and a Redis database of its own."""
    folder = DataFolder(path)
    redis = Switch(urlsplit(os.environ["REDIS_URL"]).port or 6379)
    free = free_addresses()
    twin = Switch(free.sandbox_port)
    addresses = replace(free, sandbox_url=f"http://127.0.0.1:{twin.port}")
    servers = _given_servers(folder, name=name, redis_port=redis.port, redis_number=redis_number)
    running = Stack(folder, addresses=addresses, servers=servers, terminal=Terminal(io.StringIO()))
    try:
        running.start()
        yield RunningStack(
            web=running.addresses.public,
            sandbox=running.addresses.sandbox,
            mllp_port=running.addresses.mllp_port,
            log=folder.log,
            tls=folder.tls,
            env=running.variables,
            owner_url=running.servers.owner_url,
            redis=redis,
            twin=twin,
            sandbox_behind=f"http://127.0.0.1:{free.sandbox_port}",
        )
    finally:
        running.stop()
        redis.off()
        twin.off()
        for url in (servers.owner_url, servers.environ["SANDBOX_DATABASE_URL"]):
            drop_database(url)


def _given_servers(folder: DataFolder, *, name: str, redis_port: int, redis_number: int) -> Servers:
    """Return this run's own servers, with databases and a Redis number that no test uses."""
    address = urlsplit(os.environ["REDIS_URL"])
    account = f"{address.username or ''}:{address.password}@" if address.password else ""
    redis_url = f"redis://{account}127.0.0.1:{redis_port}/{redis_number}"
    owner_url = _own_database(name)
    role = f"connector_stack_{os.environ.get(WORKER, 'main')}"
    given = {
        "DATABASE_OWNER_URL": owner_url,
        "DATABASE_URL": ensure_role(owner_url, name=role, password="only-for-tests"),
        "SANDBOX_DATABASE_URL": _own_database(f"{name}_sandbox"),
        "REDIS_URL": redis_url,
    }
    return Servers(folder, is_durable=False, sink=_ignore, environ=given)


def _own_database(name: str) -> str:
    """Create an empty database for this worker and return its address."""
    url = with_database(os.environ["DATABASE_URL"], f"test_{name}_{os.environ.get(WORKER, 'main')}")
    drop_database(url)
    ensure_database(url)
    return url


def _ignore(_line: str) -> None:
    """Drop a line of log."""
