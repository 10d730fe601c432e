"""Databases of a PostgreSQL server, reached by their addresses."""

from urllib.parse import quote, unquote, urlsplit, urlunsplit

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


def ensure_role(owner_url: str, *, name: str, password: str) -> str:
    """Create or renew a role that may only log in; return the address of the same database for it."""
    names = {"role": sql.Identifier(name), "password": sql.Literal(password)}
    with psycopg.connect(owner_url, autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        verb = "ALTER" if exists else "CREATE"
        connection.execute(sql.SQL(verb + " ROLE {role} LOGIN PASSWORD {password}").format(**names))
    address = urlsplit(owner_url)
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=f"{name}:{quote(password, safe='')}@{host}"))


def role_of(url: str) -> str:
    """Return the name of the role an address logs in as."""
    return unquote(urlsplit(url).username or "")
