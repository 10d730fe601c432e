"""The database and Redis servers of one stack: those that were given, else embedded ones."""

import os
import secrets
from collections.abc import Mapping

from ehrconnector.stack import ports
from ehrconnector.stack.account import server_account
from ehrconnector.stack.databases import database_of, ensure_database, ensure_role, with_database
from ehrconnector.stack.embedded import Postgres, Valkey
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.process import Sink

PRODUCT = "connector"
SANDBOX = "sandbox"
APPLICATION = "connector_app"  # the role the product runs as on the embedded PostgreSQL


class Servers:
    """Addresses of a running PostgreSQL and Redis.

    ``owner_url`` is for whoever makes tables, ``database_url`` for the product's processes; with one database
    account for both they are the same.
    """

    def __init__(
        self, folder: DataFolder, *, is_durable: bool, sink: Sink, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.folder = folder
        self.is_durable = is_durable
        self.sink = sink
        self.environ = environ
        self.database_url = environ.get("DATABASE_URL", "")
        self.owner_url = environ.get("DATABASE_OWNER_URL", "") or self.database_url
        self.redis_url = environ.get("REDIS_URL", "")
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def start(self) -> None:
        """Start what was not given; the product's database exists afterwards.

        :raises StackError: when a server does not start.
        """
        account = server_account()
        if not self.database_url:
            port = _fixed_port("EMBEDDED_POSTGRES_PORT", purpose="the embedded PostgreSQL", environ=self.environ)
            home = self.folder.servers_home(account)
            self.postgres = Postgres(home, account=account, is_durable=self.is_durable, sink=self.sink, port=port)
            self.postgres.start()
            self.owner_url = self.postgres.url(PRODUCT)
            ensure_database(self.owner_url)
            self.database_url = ensure_role(self.owner_url, name=APPLICATION, password=secrets.token_urlsafe(24))
        if not self.redis_url:
            port = _fixed_port("EMBEDDED_REDIS_PORT", purpose="the embedded Valkey", environ=self.environ)
            home = self.folder.servers_home(account)
            self.valkey = Valkey(home, account=account, sink=self.sink, port=port)
            self.valkey.start()
            self.redis_url = self.valkey.url()

    def sandbox_database_url(self) -> str:
        """Return the sandbox's own database, created if need be."""
        url = self.environ.get("SANDBOX_DATABASE_URL", "")
        if not url:
            name = SANDBOX if self.postgres else f"{database_of(self.owner_url)}_{SANDBOX}"
            url = with_database(self.owner_url, name)
        ensure_database(url)
        return url

    def describe(self) -> str:
        """Say in a few words what is used."""
        database = f"{self.postgres.label} on port {self.postgres.port}" if self.postgres else "DATABASE_URL"
        redis = f"{self.valkey.label} on port {self.valkey.port}" if self.valkey else "REDIS_URL"
        return f"{database}, {redis}"

    def stop(self) -> None:
        """Stop the embedded servers; given ones are not ours to stop."""
        for server in (self.valkey, self.postgres):
            if server:
                if self.is_durable:
                    server.stop()
                else:
                    server.kill()


def _fixed_port(variable: str, *, purpose: str, environ: Mapping[str, str]) -> int:
    """Return the port somebody asked for, checked to be free, or 0 for any."""
    if not environ.get(variable):
        return 0
    port = ports.port_from(variable, default=0, environ=environ)
    ports.require_free(port, variable=variable, purpose=purpose)
    return port
