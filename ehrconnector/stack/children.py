"""The commands of every process of a stack."""

import sys
from collections.abc import Mapping
from pathlib import Path

from ehrconnector.stack.environment import Addresses, for_product, for_sandbox
from ehrconnector.stack.ports import LOOPBACK
from ehrconnector.stack.process import Command

PROJECT = Path(__file__).resolve().parents[2]
QUEUES = ("default", "sms", "meetings", "writeback")  # as core.jobs.QUEUES; a test compares them
WORKER_PROCESSES = 2
# Work in the background yields the processors to pages and acknowledgements, for which somebody waits.
YIELDING = ("nice", "-n", "5")
WEB_CONNECTIONS = "40"  # of the web process to PostgreSQL, unless the operator says otherwise


def web(variables: Mapping[str, str], addresses: Addresses) -> Command:
    """Return the ASGI server of the product."""
    return Command(
        name="web",
        argv=_uvicorn("ehrconnector.asgi:application", host=addresses.web_host, port=addresses.web_port),
        env=for_product({"DATABASE_POOL_SIZE": WEB_CONNECTIONS, **variables}),
        cwd=PROJECT,
        grace_seconds=8.0,
    )


def worker(variables: Mapping[str, str]) -> Command:
    """Return the Celery worker, which serves every queue."""
    return Command(
        name="worker",
        argv=[
            *YIELDING,
            *_celery("worker"),
            f"--queues={','.join(QUEUES)}",
            f"--concurrency={WORKER_PROCESSES}",
            "--without-gossip",
            "--without-mingle",
        ],
        env=for_product(variables),
        cwd=PROJECT,
        grace_seconds=15.0,  # it finishes the tasks it has begun
    )


def beat(variables: Mapping[str, str], data: Path) -> Command:
    """Return Celery's clock."""
    return Command(
        name="beat",
        argv=[*_celery("beat"), f"--schedule={data / 'beat-schedule'}", "--pidfile="],
        env=for_product(variables),
        cwd=PROJECT,
    )


def mllp(variables: Mapping[str, str]) -> Command:
    """Return the HL7 listener."""
    return Command(name="mllp", argv=manage("run_mllp"), env=for_product(variables), cwd=PROJECT)


def sandbox(variables: Mapping[str, str], addresses: Addresses) -> Command:
    """Return the sandbox: one process, because its ledger wakes its readers in memory."""
    return Command(
        name="sandbox",
        argv=_uvicorn("sandbox.asgi:application", host=LOOPBACK, port=addresses.sandbox_port),
        env=for_sandbox(variables),
        cwd=PROJECT,
        grace_seconds=8.0,
    )


def manage(*arguments: str) -> list[str]:
    """Return the command line of a Django command."""
    return [sys.executable, "manage.py", *arguments]


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app=ehrconnector", *arguments, "--loglevel=INFO"]


def _uvicorn(application: str, *, host: str, port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "uvicorn",
        application,
        f"--host={host}",
        f"--port={port}",
        "--lifespan=off",
        "--no-access-log",  # addresses carry references that belong in no log
        "--no-server-header",
        "--timeout-graceful-shutdown=3",  # live status pages never end by themselves
    ]
