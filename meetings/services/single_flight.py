"""Let one caller do the work and the others wait for its result, without an open transaction.

A PostgreSQL advisory lock of the *session*: it outlives the statement that takes it, so no transaction is
open while the holder talks to Graph, and it vanishes with the connection if the holder dies. It only saves
calls: what it protects must be safe to do twice, because a waiter that has waited long enough goes ahead.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

LONGEST_WAIT_SECONDS = 20


@contextmanager
def one_at_a_time(key: uuid.UUID) -> Iterator[None]:
    """Run the body while no other connection runs one for ``key``, or after a wait of 20 s."""
    number = int.from_bytes(key.bytes[:8], signed=True)
    is_held = _take(number)
    try:
        yield
    finally:
        if is_held:
            _release(number)


def _take(number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        return bool(cursor.fetchone()[0]) or _wait(number)


def _wait(number: int) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LONGEST_WAIT_SECONDS}s"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [number])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        return False
    return True


def _release(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
