"""A database of its own for the HL7 benchmark, so that nobody but whom we start works on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from benchmarks._hl7.servers import ROOT
from ehrconnector.stack.databases import drop_database, ensure_database, with_database

ENDPOINT = "lamna/lamna-test"
_REDIS_NUMBER = "9"


@contextmanager
def scene() -> Iterator[dict[str, str]]:
    """Make a hospital with an approved endpoint in an empty database, and give the environment to reach it."""
    url = with_database(os.environ["DATABASE_URL"], "bench_hl7")
    redis = urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{_REDIS_NUMBER}"))
    environment = {**os.environ, "DATABASE_URL": url, "REDIS_URL": redis}
    drop_database(url)
    ensure_database(url)
    for command in ("migrate", "seed_demo"):
        subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "manage.py", command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
    try:
        yield {"DATABASE_URL": url, "REDIS_URL": redis}
    finally:
        drop_database(url)


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker and its clock on the scene."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "--app=ehrconnector",
        "worker",
        "--beat",
        "--schedule=/dev/shm/bench-beat",
    ]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [*command, "--queues=default,sms,meetings,writeback,hl7intake", "--concurrency=2", "--loglevel=ERROR"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)
