"""A hospital's database has no superuser for us: one role owns the tables, another runs the connector."""

import os
import subprocess
import sys

import psycopg
import pytest

from ehrconnector.stack.binaries import find_postgres
from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.databases import drop_database, ensure_database, ensure_role, role_of, with_database
from ehrconnector.stack.throwaway import WORKER

PROGRAMS = find_postgres().bin
WHO = os.environ.get(WORKER, "main")
# A row of every guarded table belongs to a visit, a launch or an organization; a contact stands for them all.
FILL = """
    from core import audit
    from tests.factories import make_visit
    audit.record("test.happened", organization_id=make_visit().organization_id)
"""


@pytest.fixture(scope="module")
def roles():
    """Addresses of an empty database for its owner, who is no superuser, and for the connector."""
    server = os.environ["DATABASE_URL"]
    database = with_database(server, f"test_roles_{WHO}")
    drop_database(database)
    ensure_database(database)
    owner = ensure_role(database, name=f"connector_owner_{WHO}", password="only-for-tests")
    application = ensure_role(database, name=f"connector_lesser_{WHO}", password="only-for-tests")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE test_roles_{WHO} OWNER TO {role_of(owner)}")
    yield owner, application
    drop_database(database)


def manage(url, *arguments):
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "ehrconnector.settings"}
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "manage.py", *arguments], env=env, cwd=PROJECT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def prepared(roles):
    owner, application = roles
    migrated = manage(owner, "migrate", "--no-input", "-v0")
    assert migrated.returncode == 0, migrated.stderr
    assert "core.W002" not in migrated.stderr
    granted = manage(owner, "grant_database_access", role_of(application))
    assert granted.returncode == 0, granted.stderr
    lines = "; ".join(line.strip() for line in FILL.strip().splitlines())
    filled = manage(application, "shell", "--no-imports", "-c", lines)
    assert filled.returncode == 0, filled.stderr
    return roles


def seen_by(url, table, scope=""):
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('connector.organization', %s, false)", [scope])
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - named below


@pytest.mark.parametrize("table", ["visits_patientcontact", "core_auditevent"])
def test_not_even_the_owner_sees_rows_without_saying_whose(prepared, table):
    for url in prepared:
        assert seen_by(url, table) == 0
        assert seen_by(url, table, "platform") >= 1


def test_what_is_still_to_be_migrated_needs_the_owner(prepared):
    _, application = prepared
    assert manage(application, "migrate", "--check").returncode == 0
    with psycopg.connect(application) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("ALTER TABLE visits_visit ADD COLUMN more text")


def test_the_owner_makes_a_whole_dump_and_it_comes_back_whole(prepared, tmp_path):
    owner, application = prepared
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    for saver in (owner, application):
        saved = subprocess.run(  # noqa: S603 - this project's
            ["scripts/backup", str(tmp_path / role_of(saver))],  # noqa: S607
            env={**os.environ, "DATABASE_URL": saver, "PATH": path},
            cwd=PROJECT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert saved.returncode == 0, saved.stderr
        rows = subprocess.run(  # noqa: S603 - a program of PostgreSQL
            [PROGRAMS / "pg_restore", "--data-only", "--table=visits_patientcontact", "--file=-", saved.stdout.strip()],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        copied = rows.partition("FROM stdin;\n")[2].partition("\\.")[0]
        assert len(copied.splitlines()) == seen_by(owner, "visits_patientcontact", "platform")


@pytest.mark.parametrize(("is_superuser", "warns"), [(True, True), (False, False)])
def test_a_role_that_passes_by_is_warned_of_and_no_more(prepared, is_superuser, warns):
    owner, _ = prepared
    superuser = with_database(os.environ["DATABASE_URL"], f"test_roles_{WHO}")
    checked = manage(superuser if is_superuser else owner, "check", "--database", "default")
    assert checked.returncode == 0, checked.stderr
    assert ("core.W002" in checked.stderr) is warns


def test_rights_are_not_given_to_who_passes_by(prepared):
    owner, _ = prepared
    refused = manage(owner, "grant_database_access", role_of(os.environ["DATABASE_URL"]))
    assert refused.returncode == 1
    assert "superuser" in refused.stderr
    assert "There is no role" in manage(owner, "grant_database_access", "nobody_at_all").stderr
