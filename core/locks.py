"""Be the only one at something: PostgreSQL advisory locks of the session (ADR 2).

Such a lock needs no open transaction, and vanishes with the connection if its holder dies.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def only_one(key: uuid.UUID) -> Iterator[bool]:
    """Run the body holding the lock of ``key``; yields False at once when somebody else holds it."""
    number = int.from_bytes(key.bytes[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        (is_mine,) = cursor.fetchone() or (False,)
    try:
        yield bool(is_mine)
    finally:
        if is_mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
