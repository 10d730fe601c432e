"""Product and sandbox together, as the demonstration, the benchmarks and the tests run them."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from ehrconnector.stack import children, preparation
from ehrconnector.stack.certificates import ensure_certificates
from ehrconnector.stack.databases import ensure_database, role_of
from ehrconnector.stack.environment import (
    Addresses,
    demo_variables,
    for_product,
    for_sandbox,
    load_or_create_secrets,
)
from ehrconnector.stack.errors import StackError
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.health import Probe
from ehrconnector.stack.logs import LogFile
from ehrconnector.stack.servers import Servers
from ehrconnector.stack.supervisor import Supervisor
from ehrconnector.stack.terminal import Terminal

START_SECONDS = 90.0


class Stack:
    """Every process of the product, and the sandbox it talks to."""

    def __init__(self, folder: DataFolder, *, addresses: Addresses, servers: Servers, terminal: Terminal) -> None:
        self.folder = folder
        self.addresses = addresses
        self.servers = servers
        self.terminal = terminal
        self.variables: dict[str, str] = {}
        self.log = LogFile(folder.log / "setup.log")
        self.commands = preparation.Commands(self.log.write)
        self.supervisor = Supervisor(folder.log)
        self._running_note = folder.root / "running.json"

    def start(self) -> None:
        """Start everything and return once all of it is healthy.

        :raises StackError: when something does not start, saying what and why.
        """
        with self.terminal.step("Servers:") as details:
            self.servers.start()
            self._settle_environment()
            details.append(self.servers.describe())
        self._in_parallel(self._migrate_product, self._migrate_sandbox, self._collect_static)
        self._start_processes()
        self._running_note.touch(mode=0o600)
        self._running_note.write_text(json.dumps(self.variables), encoding="utf-8")

    def stop(self) -> None:
        """Stop every process, then the servers."""
        self._running_note.unlink(missing_ok=True)
        self.commands.kill()
        self.supervisor.stop()
        self.servers.stop()
        self.log.close()

    def kill(self) -> None:
        """End every process at once."""
        self.commands.kill()
        self.supervisor.kill()

    def product_env(self) -> dict[str, str]:
        """Return the environment of the product's commands."""
        return for_product(self.variables)

    def owner_env(self) -> dict[str, str]:
        """Return the environment of commands that make tables."""
        return {**self.product_env(), "DATABASE_URL": self.servers.owner_url}

    def _settle_environment(self) -> None:
        ensure_certificates(self.folder.tls, now=dt.datetime.now(dt.UTC))
        ensure_database(self.servers.owner_url)
        self.variables = demo_variables(
            known=load_or_create_secrets(self.folder.root / "demo.env"),
            addresses=self.addresses,
            tls=self.folder.tls,
            database_url=self.servers.database_url,
            sandbox_database_url=self.servers.sandbox_database_url(),
            redis_url=self.servers.redis_url,
        )

    def _migrate_product(self) -> None:
        with self.terminal.step("Database of the connector") as details:
            has_news = preparation.migrate(
                self.commands,
                env=self.owner_env(),
                url=self.servers.owner_url,
                apps=preparation.product_apps(),
                role=role_of(self.servers.database_url),
            )
            details.append("migrated" if has_news else "is up to date")

    def _migrate_sandbox(self) -> None:
        with self.terminal.step("Database of the sandbox") as details:
            has_news = preparation.migrate(
                self.commands,
                env=for_sandbox(self.variables),
                url=self.variables["SANDBOX_DATABASE_URL"],
                apps=["sandbox"],
            )
            details.append("migrated" if has_news else "is up to date")

    def _collect_static(self) -> None:
        with self.terminal.step("Static files") as details:
            has_news = preparation.collect_static(self.commands, env=self.product_env())
            details.append("collected" if has_news else "are up to date")

    def _start_processes(self) -> None:
        variables, addresses = self.variables, self.addresses
        with self.terminal.step("Sandbox: Epic, Entra, Graph, Teams and phones"):
            self.supervisor.start(children.sandbox(variables, addresses))
            self.supervisor.start(children.web(variables, addresses))
            self.supervisor.start(children.worker(variables))
            self.supervisor.start(children.beat(variables, self.folder.root))
            self.supervisor.wait_healthy(sandbox_probe(addresses), seconds=START_SECONDS)
        with self.terminal.step("Hospital Lamna Healthcare set up"):
            self.commands.run("seed_demo", env=self.product_env())
        with self.terminal.step("Connector: web, worker, beat, HL7 listener"):
            self.supervisor.start(children.mllp(variables))
            self.supervisor.wait_healthy(web_probe(addresses, path="/readyz"), seconds=START_SECONDS)

    def _in_parallel(self, *steps: Callable[[], None]) -> None:
        with ThreadPoolExecutor(len(steps)) as pool, contextlib.ExitStack() as on_trouble:
            on_trouble.callback(self.commands.kill)  # the pool waits for its threads, so end what they wait for
            results = [pool.submit(step) for step in steps]
            for result in results:
                result.result()
            on_trouble.pop_all()


def sandbox_probe(addresses: Addresses) -> Probe:
    """Return how to ask the sandbox for its health."""
    return Probe(name="sandbox", port=addresses.sandbox_port, path="/healthz")


def web_probe(addresses: Addresses, *, path: str) -> Probe:
    """Return how to ask the product for its health, under the host name it answers to."""
    host = urlsplit(addresses.public).hostname or ""
    return Probe(name="web", port=addresses.web_port, path=path, host_header=host)


def read_running(folder: DataFolder) -> dict[str, str]:
    """Return the variables of the stack that runs on this folder.

    :raises StackError: when none runs.
    """
    try:
        note = (folder.root / "running.json").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise StackError(f"No stack runs on {folder.root}. Start one with make demo.") from error
    variables: dict[str, str] = json.loads(note)
    return variables
