"""Give a database role exactly what the connector's processes need, and nothing of an owner."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

# Of the audit trail nothing is ever changed or deleted; without these rights not even with its trigger switched off.
APPEND_ONLY = ("core_auditevent",)

_STATEMENTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


class Command(BaseCommand):
    help = (
        "Gives a database role what the connector's processes need: to read and write rows, not to change tables, "
        "and of the audit trail only to read and append. Run it as the owner of the tables; again does no harm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="an existing role of PostgreSQL, such as connector_app")

    @transaction.atomic
    def handle(self, *args: Any, role: str, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {role}. Create it first: CREATE ROLE {role} LOGIN PASSWORD '...'")
            if found[0]:
                raise CommandError(f"{role} is a superuser or has BYPASSRLS: row-level security would not bind it.")
            for statement in _STATEMENTS:
                cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)))
            for table in APPEND_ONLY:
                names = {"table": sql.Identifier(table), "role": sql.Identifier(role)}
                cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}").format(**names))
        self.stdout.write(f"{role} may now run the connector.")
