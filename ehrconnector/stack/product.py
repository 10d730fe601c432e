"""``make run``: the product alone, configured by the environment as in a hospital."""

import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from ehrconnector.stack import children, ports
from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.databases import role_of
from ehrconnector.stack.environment import Addresses, for_product
from ehrconnector.stack.errors import Interrupted, StackError
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.health import Probe
from ehrconnector.stack.interrupts import Interrupts
from ehrconnector.stack.logs import LogFile
from ehrconnector.stack.preparation import Commands
from ehrconnector.stack.servers import Servers
from ehrconnector.stack.supervisor import Supervisor
from ehrconnector.stack.terminal import Terminal

REQUIRED = ("SECRET_KEY", "PUBLIC_URL", "ENCRYPTION_KEYS", "INDEX_KEY")
START_SECONDS = 90.0


class Product:
    """The product's processes on given or embedded servers."""

    def __init__(self, folder: DataFolder, *, environ: Mapping[str, str], terminal: Terminal) -> None:
        self.folder = folder
        self.terminal = terminal
        self.servers_log = LogFile(folder.log / "servers.log")
        self.setup_log = LogFile(folder.log / "setup.log")
        self.servers = Servers(folder, is_durable=True, sink=self.servers_log.write, environ=with_files(environ))
        self.supervisor = Supervisor(folder.log, echo=terminal.say)
        self.commands = Commands(self.setup_log.write)
        self.variables = dict(environ)
        self.addresses = Addresses(
            web_port=ports.port_from("WEB_PORT", default=8000, environ=environ),
            sandbox_port=0,
            mllp_port=ports.port_from("MLLP_PORT", default=2575, environ=environ),
            web_host=environ.get("WEB_HOST", ports.LOOPBACK),
            public_url=with_files(environ)["PUBLIC_URL"],
        )

    @property
    def has_listener(self) -> bool:
        """Say whether the HL7 listener has the certificate it needs."""
        return bool(self.variables.get("MLLP_TLS_CERTIFICATE_PATH"))

    def prepare(self) -> None:
        """Start the embedded servers that are needed, bring the database and the static files up to date.

        :raises StackError: when one of them fails.
        """
        self.folder.lock()
        with self.terminal.step("Servers:") as details:
            self.servers.start()
            self.variables |= {"DATABASE_URL": self.servers.database_url, "REDIS_URL": self.servers.redis_url}
            for name in ("DATABASE_URL_FILE", "DATABASE_OWNER_URL_FILE", "REDIS_URL_FILE"):
                self.variables.pop(name, None)
            details.append(self.servers.describe())
        with self.terminal.step("Database is up to date"):
            self._migrate()
        with self.terminal.step("Static files are collected"):
            self.commands.run("collectstatic", "--no-input", "--verbosity=0", env=self.env())

    def _migrate(self) -> None:
        env = {**self.env(), "DATABASE_URL": self.servers.owner_url}
        self.commands.run("migrate", "--no-input", env=env)
        if self.servers.owner_url != self.servers.database_url:
            self.commands.run("grant_database_access", role_of(self.servers.database_url), env=env)

    def start(self) -> None:
        """Start the processes and return once they are healthy.

        :raises StackError: when a port is taken or a process is not healthy in time.
        """
        self.supervisor.start(children.web(self.variables, self.addresses))
        self.supervisor.start(children.worker(self.variables))
        self.supervisor.start(children.beat(self.variables, self.folder.root))
        if self.has_listener:
            self.supervisor.start(children.mllp(self.variables))
        else:
            self.terminal.say("  The HL7 listener stays off: MLLP_TLS_CERTIFICATE_PATH is not set.")
        host = urlsplit(self.addresses.public).hostname or ""
        path = "/readyz" if self.has_listener else "/healthz"
        probe = Probe(name="web", port=self.addresses.web_port, path=path, host_header=host)
        self.supervisor.wait_healthy(probe, seconds=START_SECONDS)

    def env(self) -> dict[str, str]:
        """Return the environment of the product's processes and commands."""
        return for_product(self.variables)

    def stop(self) -> None:
        """Stop every process, then the embedded servers."""
        self.commands.kill()
        self.supervisor.stop()
        self.servers.stop()
        self.setup_log.close()
        self.servers_log.close()
        self.folder.unlock()

    def kill(self) -> None:
        """End every process at once."""
        self.commands.kill()
        self.supervisor.kill()


def run(folder: DataFolder) -> int:
    """Serve the product until told to stop; return the exit status.

    :raises StackError: when a variable is missing or something does not start.
    """
    terminal = Terminal(sys.stdout)
    environ = product_environment()
    product = Product(folder, environ=environ, terminal=terminal)
    ports.require_free(product.addresses.web_port, variable="WEB_PORT", purpose="the connector's web pages")
    if product.has_listener:
        ports.require_free(product.addresses.mllp_port, variable="MLLP_PORT", purpose="the HL7 listener")
    with Interrupts(product.kill) as interrupts:
        try:
            terminal.title("EHR connector")
            product.prepare()
            product.start()
            terminal.title(f"Serving {product.addresses.public} on port {product.addresses.web_port}. Ctrl-C stops it.")
            interrupts.wait()
        except Interrupted:
            return 0
        finally:
            interrupts.stopping()
            terminal.say("\nStopping every process ...")
            product.stop()
    return 0


def migrate(folder: DataFolder) -> int:
    """Bring the product's database up to date and return the exit status.

    :raises StackError: when a variable is missing or a migration fails.
    """
    product = Product(folder, environ=product_environment(), terminal=Terminal(sys.stdout))
    with Interrupts(product.kill) as interrupts:
        try:
            product.prepare()
        finally:
            interrupts.stopping()
            product.stop()
    return 0


def product_environment() -> dict[str, str]:
    """Return our environment, completed by ``.env``.

    :raises StackError: when a required variable is missing.
    """
    import environ  # noqa: PLC0415 - it imports a part of Django, which only this command can afford

    env_file = PROJECT / ".env"
    if env_file.exists():
        environ.Env.read_env(env_file, overwrite=False)
    missing = [name for name in REQUIRED if name not in with_files(os.environ)]
    if missing:
        raise StackError(
            f"Not set: {', '.join(missing)}. docs/configuration.md explains each variable; "
            ".env.example is a start to copy to .env. To try the connector without any, run make demo."
        )
    return dict(os.environ)


def with_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with those that are given as files (``NAME_FILE``) read."""
    names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", *REQUIRED)
    read = {}
    for name in names:
        path = environ.get(f"{name}_FILE")
        if path:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the operator's own path, as given
                read[name] = file.read().strip()
    return {**environ, **read}
