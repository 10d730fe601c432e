"""A database, a Redis number and a supplier of the benchmark's own."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from ehrconnector.stack.databases import drop_database, ensure_database, with_database

MILLISECONDS = 50
_REDIS_NUMBER = "9"


@contextlib.contextmanager
def own_servers() -> Iterator[None]:
    """Point this process and its children at servers of their own; a stub answers as the supplier."""
    url = with_database(os.environ["DATABASE_URL"], "bench_sms")
    drop_database(url)
    ensure_database(url)
    port = _free_port()
    os.environ |= {
        "DATABASE_URL": url,
        "REDIS_URL": urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{_REDIS_NUMBER}")),
        "ACS_ENDPOINT": f"http://127.0.0.1:{port}",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "OUTBOUND_ALLOW_HTTP": "true",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "ehrconnector.settings",
    }
    stub = subprocess.Popen(  # noqa: S603 - built here
        [sys.executable, "-m", "benchmarks._sms.stub", str(port), str(MILLISECONDS)], stdout=subprocess.PIPE
    )
    assert stub.stdout is not None  # noqa: S101 - asked for above
    stub.stdout.readline()  # it listens
    try:
        yield
    finally:
        stub.kill()
        stub.wait()
        drop_database(url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
