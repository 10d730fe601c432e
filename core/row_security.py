"""Row-level security of one table, as a step of a migration (ADR 20).

``FORCE`` makes it hold for the table's owner too, since many hospitals have one database account for everything.
Superusers and accounts with ``BYPASSRLS`` pass by in any case; :func:`core.checks.database_role_is_bound` warns.
"""

from django.db.migrations import RunSQL

# Not as a sub-select: planning that takes longer than asking for the setting once for each row we read.
_SETTING = "current_setting('connector.organization', true)"


def guard(table: str, *, belongs: str = "organization_id::text = {setting}") -> RunSQL:
    """Return the step that hides rows of ``table`` from everybody but their organization and the platform.

    :param belongs: SQL that is true for a row of the organization ``{setting}``.
    """
    condition = f"{_SETTING} = 'platform' OR {belongs.format(setting=_SETTING)}"
    return RunSQL(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f" ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
        f" CREATE POLICY connector_scope ON {table} USING ({condition});",
        f"DROP POLICY connector_scope ON {table};"
        f" ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;"
        f" ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;",
    )
