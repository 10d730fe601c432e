"""Throw-away servers for one run of the tests.

The process that runs pytest starts them and hands their addresses to its workers through the
environment. ``DATABASE_URL`` and ``REDIS_URL`` are respected, so that the same tests run against
any server. Durability is off: nothing here is worth keeping.
"""

import atexit
import os

from ehrconnector.stack.account import server_account
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.servers import Servers

WORKER = "PYTEST_XDIST_WORKER"
_running: list[Servers] = []


def ensure_servers() -> None:
    """Set ``DATABASE_URL`` and ``REDIS_URL``, starting what is not given."""
    if WORKER in os.environ or {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        return
    servers = Servers(DataFolder.throw_away(server_account()), is_durable=False, sink=_ignore)
    _running.append(servers)
    atexit.register(stop_servers)
    servers.start()
    os.environ |= {"DATABASE_URL": servers.owner_url, "REDIS_URL": servers.redis_url}


def stop_servers() -> None:
    """Stop what ``ensure_servers`` started in this process, and delete its data."""
    while _running:
        servers = _running.pop()
        servers.stop()
        servers.folder.remove()


def _ignore(_line: str) -> None:
    """Drop a line of log; the last ones are kept by the process for error messages."""
