"""Databases of a PostgreSQL server, reached by their addresses."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


def with_database(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def database_of(url: str) -> str:
    """Return the name of the database an address ends in."""
    return urlsplit(url).path.lstrip("/")


def ensure_database(url: str) -> None:
    """Create the database of this address unless it exists."""
    name = database_of(url)
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop_database(url: str) -> None:
    """Drop the database of this address, ending its sessions."""
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        name = sql.Identifier(database_of(url))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def read_mark(url: str) -> str:
    """Return the comment on the database, where we note which migrations it has."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return (row[0] or "") if row else ""


def write_mark(url: str, mark: str) -> None:
    """Replace the comment on the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(database_of(url))
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(mark)))
