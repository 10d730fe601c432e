"""A database connection of the event loop, for the one statement that every message needs.

A thread would do as well, but it and the loop would take the interpreter from each other at every system call,
which takes longer than the statement.
"""

from collections.abc import Sequence

import psycopg
from django.db import connections

# Django's, for its own cursors.
_OWN = ("context", "cursor_factory", "prepare_threshold")


class LoopConnection:
    """Opened when first needed, and anew after it broke; every statement is a transaction of its own."""

    def __init__(self) -> None:
        self._cursor: psycopg.AsyncCursor[object] | None = None

    async def execute(self, statement: str, parameters: Sequence[object]) -> int:
        """Commit ``statement`` with ``parameters`` in binary form and return how many rows it concerned.

        :raises psycopg.Error: when that failed, or nobody knows whether it did.
        """
        if self._cursor is None or self._cursor.connection.closed:
            self._cursor = await self._open()
        await self._cursor.execute(statement, parameters, binary=True)
        return self._cursor.rowcount

    async def close(self) -> None:
        """Close it if it is open."""
        if self._cursor is not None:
            await self._cursor.connection.close()

    async def _open(self) -> "psycopg.AsyncCursor[object]":
        given = connections["default"].get_connection_params()
        own = {name: value for name, value in given.items() if name not in _OWN}
        # Planning the statement takes longer than the statement.
        connection = await psycopg.AsyncConnection.connect(**own, autocommit=True, prepare_threshold=0)
        return connection.cursor()
