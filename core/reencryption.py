"""Seal every ciphertext anew under the newest key, while everything runs, so that an old key can be thrown away."""

from collections import Counter
from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from core import crypto
from core.crypto import EncryptedTextField

BATCH = 500


def columns() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Return every encrypted column of every table."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField) and not model._meta.proxy:
                yield model, field


def keys_in_use() -> Counter[str]:
    """Return how many ciphertexts each key protects."""
    counted: Counter[str] = Counter()
    for model, field in columns():
        query = sql.SQL(
            "SELECT substring({c} FROM 3 FOR get_byte({c}, 1)), count(*) FROM {t} WHERE {c} IS NOT NULL GROUP BY 1"
        )
        with connection.cursor() as cursor:
            cursor.execute(_with_names(query, model, field))
            for key_id, count in cursor.fetchall():
                counted[bytes(key_id).decode()] += count
    return counted


def reencrypt() -> int:
    """Seal anew what an older key protects and return how many ciphertexts that were.

    Rows that somebody works on are passed over and met again, so nobody waits for this.

    :raises DecryptionError: a key that is still needed is not configured, or a row was altered.
    """
    return sum(_reencrypt_column(model, field) for model, field in columns())


def _reencrypt_column(model: type[models.Model], field: EncryptedTextField) -> int:
    done = 0
    while count := _reencrypt_batch(model, field):
        done += count
    return done


@transaction.atomic
def _reencrypt_batch(model: type[models.Model], field: EncryptedTextField) -> int:
    name = crypto.primary_key_id().encode()
    newest = bytes([len(name)]) + name
    query = sql.SQL(
        "SELECT {pk}, {c} FROM {t} WHERE {c} IS NOT NULL AND substring({c} FROM 2 FOR %s) <> %s"
        " LIMIT %s FOR UPDATE SKIP LOCKED"
    )
    update = _with_names(sql.SQL("UPDATE {t} SET {c} = %s WHERE {pk} = %s"), model, field)
    with connection.cursor() as cursor:
        cursor.execute(_with_names(query, model, field), [len(newest), newest, BATCH])
        rows = cursor.fetchall()
        for pk, ciphertext in rows:
            context = field.context(model(pk=pk))
            sealed = crypto.encrypt(crypto.decrypt(bytes(ciphertext), context=context), context=context)
            cursor.execute(update, [sealed, pk])
    return len(rows)


def _with_names(query: sql.SQL, model: type[models.Model], field: EncryptedTextField) -> sql.Composed:
    names = {"t": model._meta.db_table, "c": str(field.column), "pk": str(model._meta.pk.column)}
    return query.format(**{name: sql.Identifier(value) for name, value in names.items()})
