"""Django's PostgreSQL connection, which always carries the scope of the code that uses it.

The setting is brought in line when a cursor is made, and only if it differs: a worker sends it once in the life of
its connection. It cannot stay behind for somebody else, because whoever makes the next cursor brings it in line
again: after a rollback, which takes settings back, and on every connection that is new to us, pooled ones included.
"""

from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from core import scope


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose ``connector.organization`` is the current scope."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: str | None = None  # what PostgreSQL holds; None: we cannot know

    def init_connection_state(self) -> None:
        """Know nothing of a connection that has just been opened, or taken from the pool."""
        self._told = None
        super().init_connection_state()

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor whose queries see the rows of the current scope."""
        wanted = scope.current().setting
        if wanted != self._told:
            self._tell(wanted)
        return super().create_cursor(name)

    def _tell(self, setting: str) -> None:
        # In a broken transaction nothing but going back is possible, and that needs no scope.
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        with self.wrap_database_errors:
            self.connection.execute("SELECT set_config('connector.organization', %s, false)", [setting])
        self._told = setting

    def _rollback(self) -> None:
        self._told = None
        super()._rollback()  # type: ignore[misc]  # the stubs leave it out

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._told = None
