"""Encryption at rest and look-up indexes.

Ciphertexts are AES-256-GCM with the row as associated data, so a value copied to another row or
column does not decrypt. Layout: ``version (1) | key id length (1) | key id | nonce (12) | sealed``.
Indexes are HMAC-SHA256 under a separate key and a purpose, so equal values can be found and nothing
can be read.
"""

import base64
import hmac
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import models

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32


class DecryptionError(Exception):
    """A ciphertext was altered, moved to another row, or its key is gone."""


def parse_keys(entries: list[str]) -> dict[str, bytes]:
    """Return key id → 32-byte key from ``id:base64`` entries, newest first.

    :raises ImproperlyConfigured: when an entry is malformed or a key is not 32 bytes.
    """
    keys: dict[str, bytes] = {}
    for entry in entries:
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or len(key) != _KEY_BYTES:
            raise ImproperlyConfigured("ENCRYPTION_KEYS: each entry is 'id:' and the base64 of 32 bytes")
        keys[key_id] = key
    if not keys:
        raise ImproperlyConfigured("ENCRYPTION_KEYS holds no key")
    return keys


@lru_cache(maxsize=8)
def _ciphers(entries: tuple[str, ...]) -> dict[str, AESGCM]:
    return {key_id: AESGCM(key) for key_id, key in parse_keys(list(entries)).items()}


def primary_key_id() -> str:
    """Return the id of the key that new ciphertexts are sealed with."""
    return next(iter(_ciphers(tuple(settings.ENCRYPTION_KEYS))))


def encrypt(plaintext: bytes, *, context: str) -> bytes:
    """Seal ``plaintext`` under the newest key, bound to ``context`` (row and column)."""
    return encrypt_all([(plaintext, context)])[0]


def encrypt_all(items: Sequence[tuple[bytes, str]]) -> list[bytes]:
    """Seal each plaintext as :func:`encrypt` does; the system is asked for random bytes only once.

    :param items: plaintext and context of each.
    """
    key_id, cipher = next(iter(_ciphers(tuple(settings.ENCRYPTION_KEYS)).items()))
    name = key_id.encode()
    head, nonces = bytes((_VERSION, len(name))) + name, os.urandom(_NONCE_BYTES * len(items))
    sealed = []
    for number, (plaintext, context) in enumerate(items):
        nonce = nonces[number * _NONCE_BYTES : (number + 1) * _NONCE_BYTES]
        sealed.append(head + nonce + cipher.encrypt(nonce, plaintext, context.encode()))
    return sealed


def key_id_of(ciphertext: bytes) -> str:
    """Return the id of the key that ``ciphertext`` was sealed with."""
    return ciphertext[2 : 2 + ciphertext[1]].decode()


def decrypt(ciphertext: bytes, *, context: str) -> bytes:
    """Open a ciphertext made by :func:`encrypt` with the same ``context``.

    :raises DecryptionError: when it was altered or moved, or its key is not configured.
    """
    if len(ciphertext) < 2 + _NONCE_BYTES or ciphertext[0] != _VERSION:
        raise DecryptionError("not a ciphertext of this application")
    key_id = key_id_of(ciphertext)
    cipher = _ciphers(tuple(settings.ENCRYPTION_KEYS)).get(key_id)
    if cipher is None:
        raise DecryptionError(f"no key named {key_id!r}")
    body = ciphertext[2 + len(key_id.encode()) :]
    try:
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], context.encode())
    except InvalidTag as error:
        raise DecryptionError("the ciphertext does not belong to this row") from error


@lru_cache(maxsize=4)
def _index_key(encoded: str) -> bytes:
    key = base64.b64decode(encoded)
    if len(key) != _KEY_BYTES:
        raise ImproperlyConfigured("INDEX_KEY is the base64 of 32 bytes")
    return key


def index(value: str, *, purpose: str) -> str:
    """Return the hexadecimal HMAC under which ``value`` can be looked up.

    :param purpose: keeps indexes of different columns and organizations apart, such as
        ``visit.session:<endpoint id>``.
    """
    begun = _index_begun(settings.INDEX_KEY, purpose).copy()
    begun.update(value.encode())
    return begun.hexdigest()


@lru_cache(maxsize=1024)
def _index_begun(encoded: str, purpose: str) -> hmac.HMAC:
    """Return the HMAC of a purpose, before the value: it is the same for many."""
    return hmac.new(_index_key(encoded), f"{purpose}\0".encode(), "sha256")


def derive(label: str) -> bytes:
    """Return 32 bytes derived from the index key for ``label``; unguessable without the key."""
    return hmac.digest(_index_key(settings.INDEX_KEY), label.encode(), "sha256")


if TYPE_CHECKING:
    _BinaryField = models.BinaryField[str | None, Any]
else:
    _BinaryField = models.BinaryField


class EncryptedTextField(_BinaryField):
    """Text kept as AES-GCM ciphertext bound to its model, column and primary key.

    The model needs a primary key that exists before the first save (a UUID). Reading happens lazily:
    the attribute gives the text, the row in memory holds the ciphertext until then. ``None`` stays NULL.
    """

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Install the descriptor that opens the ciphertext on access."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, _EncryptedAttribute(self))

    def _check_str_default_value(self) -> list[CheckMessage]:
        """Allow a text as default: unlike its column, the attribute is text."""
        return []

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:  # noqa: FBT001 - Django's signature
        """Return the ciphertext of the current text for this very row."""
        value = getattr(model_instance, self.attname)
        if value is None:
            return None
        return encrypt(value.encode(), context=self.context(model_instance))

    def context(self, instance: models.Model) -> str:
        """Return what a ciphertext of this column in this row is bound to."""
        return f"{instance._meta.label_lower}.{self.attname}|{instance.pk}"


class _EncryptedAttribute:
    """Opens a ciphertext the first time the text is asked for."""

    def __init__(self, field: EncryptedTextField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        value = instance.__dict__[self.field.attname]
        if isinstance(value, (bytes, memoryview)):
            sealed = bytes(value)  # empty where a value was erased for good
            value = decrypt(sealed, context=self.field.context(instance)).decode() if sealed else ""
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value
