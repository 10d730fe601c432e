"""A database role like a hospital's: neither superuser nor owner, so that row-level security binds it."""

import os
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from ehrconnector.stack.throwaway import WORKER

NAME = f"connector_app_{os.environ.get(WORKER, 'main')}"


@pytest.fixture
def plain_role(db: None) -> Iterator[str]:
    """Let the connection of this test go on as that role; the end of the test's transaction takes all of it back."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {NAME}")
    call_command("grant_database_access", NAME)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {NAME}")
    yield NAME
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
