"""Acceptance test 70: migrations are taken back and applied again while people and systems call.

Only steps that leave the columns alone can be taken back under a running version, such as those of row-level
security; they run here as SQL, because later migrations build on them. The others only add, so an older version
runs on a newer database: that is how one goes back.
"""

import importlib
import threading
import time
from itertools import cycle

import psycopg
import pytest
import requests
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation

from ehrconnector.stack.children import PROJECT

PER_SECOND = 20
STEPS = tuple(
    f"{app}.migrations.{name}"
    for app, name in (("core", "0004_row_security"), ("visits", "0005_row_security"), ("launch", "0005_row_security"))
)
# Of what the worker goes on with meanwhile only which rows there are, of the rest every value.
COMPARED = {"visits_visit": "id", "launch_launchattempt": "id", "visits_patientcontact": "t", "visits_joinlink": "t"}
PATHS = ("/healthz", "/accounts/login/", f"/j/{'x' * 22}", "/session/state", "/.well-known/jwks/nobody.json")
MIGRATIONS = sorted(path.relative_to(PROJECT).with_suffix("") for path in PROJECT.glob("*/migrations/[0-9]*.py"))


class Load:
    """Calls at a steady rate until it is stopped; keeps the status of every answer."""

    def __init__(self, web: str) -> None:
        self.statuses: list[int] = []
        self._web = web
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(offset,)) for offset in range(4)]
        for thread in self._threads:
            thread.start()

    def _call(self, offset: int) -> None:
        with requests.Session() as session:
            for path in cycle(PATHS[offset:] + PATHS[:offset]):
                answer = session.get(self._web + path, timeout=60, allow_redirects=False)
                self.statuses.append(answer.status_code)
                if self._over.wait(4 / PER_SECOND):
                    return

    def stop(self) -> list[int]:
        self._over.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()
        return self.statuses


def back_and_forth():
    """Return the statements that take each step back, and those that apply it again."""
    for name in STEPS:
        operations = importlib.import_module(name).Migration.operations
        yield " ".join(str(operation.reverse_sql) for operation in reversed(operations))
        yield " ".join(str(operation.sql) for operation in operations)


def contents(stack):
    return {
        table: stack.query(f"SELECT count(*), md5(string_agg({what}::text, '|' ORDER BY id)) FROM {table} t")  # noqa: S608
        for table, what in COMPARED.items()
    }


@pytest.mark.xdist_group("stack")
def test_going_back_and_forth_under_load_fails_no_request_and_loses_nothing(stack):
    assert stack.manage("play_visit").returncode == 0
    before = contents(stack)
    load = Load(stack.web)
    deadline = time.monotonic() + 60
    while len(load.statuses) < PER_SECOND and time.monotonic() < deadline:
        load._over.wait(0.1)
    try:
        for sql in back_and_forth():
            with psycopg.connect(stack.owner_url) as connection:
                connection.execute("SET LOCAL lock_timeout = '30s'")
                connection.execute(sql)
    finally:
        statuses = load.stop()
    assert len(statuses) >= PER_SECOND
    assert max(statuses) < 500
    assert contents(stack) == before


@pytest.mark.parametrize("path", MIGRATIONS, ids=str)
def test_every_migration_can_be_taken_back(path):
    module = importlib.import_module(".".join(path.parts))
    for operation in module.Migration.operations:
        assert isinstance(operation, Operation)
        assert operation.reversible, operation.describe()
        assert not (isinstance(operation, RunSQL) and operation.reverse_sql is None)
