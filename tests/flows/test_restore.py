"""The restore drill: a dump of the running hospital, restored on an empty server, is whole and sends nothing old."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import psycopg
import pytest

from ehrconnector.stack import children
from ehrconnector.stack.binaries import find_postgres
from ehrconnector.stack.databases import drop_database, ensure_database, with_database
from ehrconnector.stack.environment import for_product

pytestmark = pytest.mark.xdist_group("stack")


def run(script: str, argument: str, env: Mapping[str, str], **extra: str) -> "subprocess.CompletedProcess[str]":
    path = f"{find_postgres().bin}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603 - our own script
        [children.PROJECT / "scripts" / script, argument],
        env={**for_product(env), "PATH": path, "PYTHON": sys.executable, **extra},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@dataclass(frozen=True)
class Dump:
    path: str
    waiting: object  # the status that Epic has not been told


@pytest.fixture
def empty(stack):
    """An empty database on the same server, and the stack's variables pointing there."""
    url = with_database(stack.owner_url, f"test_restored_{os.getpid()}")
    drop_database(url)
    ensure_database(url)
    yield replace(stack, env={**stack.env, "DATABASE_URL": url}, owner_url=url)
    drop_database(url)


@pytest.fixture
def dump(stack, tmp_path):
    """A dump made while a reminder is due and a status waits; the running hospital goes on as if nothing had been."""
    assert stack.manage("play_visit").returncode == 0
    texts = stack.query("SELECT due_at, id FROM sms_smsmessage WHERE state = 'pending'")
    told = stack.query("SELECT state, id FROM writeback_writebackevent LIMIT 1")
    stack.redis.off()  # nothing is sent while the dump is made
    stack.query("UPDATE sms_smsmessage SET due_at = now() WHERE state = 'pending' RETURNING 1")
    set_state = "UPDATE writeback_writebackevent SET state = %s WHERE id = %s RETURNING 1"
    stack.query(set_state, "not_sendable", told[0][1])
    made = run("backup", str(tmp_path), stack.env)
    for due_at, text in texts:
        stack.query("UPDATE sms_smsmessage SET due_at = %s WHERE id = %s RETURNING 1", due_at, text)
    stack.query(set_state, *told[0])
    stack.redis.on()
    assert made.returncode == 0, made.stderr
    return Dump(path=made.stdout.strip(), waiting=told[0][1])


def test_a_restored_hospital_is_whole_and_sends_nothing_old(stack, empty, dump):
    restored = run("restore", dump.path, empty.env)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "events hold" in restored.stdout
    assert "broken" not in restored.stdout
    ((due,),) = empty.query(
        "SELECT count(*) FROM sms_smsmessage WHERE state IN ('pending', 'sending') AND due_at <= now()"
    )
    assert due == 0
    assert empty.query("SELECT count(*) FROM sms_smsmessage WHERE error_code = 'restore.not_repeated'")[0][0] >= 1
    left = empty.query("SELECT state, id FROM writeback_writebackevent WHERE error_code = 'restore.not_repeated'")
    assert {state for state, _ in left} == {"unknown"}
    assert dump.waiting in {event for _, event in left}
    assert empty.query("SELECT count(*) FROM visits_visit") == stack.query("SELECT count(*) FROM visits_visit")
    assert empty.query("SELECT count(*) FROM core_auditevent WHERE action = 'platform.restored'") == [(1,)]


def test_a_database_that_is_not_empty_is_left_alone(stack, dump):
    refused = run("restore", dump.path, stack.env)
    assert refused.returncode == 1
    assert "Restore into an empty one" in refused.stderr


def test_a_dump_for_longer_keeping_has_no_numbers(stack, tmp_path):
    made = run("backup", str(tmp_path), stack.env, WITHOUT_CONTACTS="1")
    assert made.returncode == 0, made.stderr
    listing = subprocess.run(  # noqa: S603 - a program of PostgreSQL
        [find_postgres().bin / "pg_restore", "--list", made.stdout.strip()], capture_output=True, text=True, check=True
    ).stdout
    assert "TABLE DATA public visits_visit " in listing
    assert "TABLE DATA public visits_patientcontact " not in listing


def test_a_chain_that_was_changed_is_found_after_a_restore(stack, empty, dump):
    assert run("restore", dump.path, empty.env).returncode == 0
    with psycopg.connect(empty.owner_url) as connection:
        connection.execute("ALTER TABLE core_auditevent DISABLE TRIGGER ALL")
        connection.execute("UPDATE core_auditevent SET actor = 'somebody' WHERE sequence = 1")
    again = empty.manage("after_restore")
    assert again.returncode == 1
    assert "broken at event 1" in again.stdout
