"""Open the encrypted query string of a context-aware link, Epic's older way of starting another product.

Source: vendors' public pages (Hyland OnBase 23.1 "Configuring Encryption Settings for URL Integrations", Pexip
"Telehealth configuration", VidyoHealth): AES-CBC with a shared key, base64, URL-encoded. Epic documents neither
the form of the key nor where the IV is, so both are settings of the endpoint.

Whatever is wrong with a link, there is one error: telling why would help to forge one (a padding oracle).
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, unquote

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from core.errors import ConfigurationError, LaunchRefused

LONGEST = 8_192
_BLOCK_BYTES = 16
_AES128_BYTES, _AES256_BYTES = 16, 32
_CLOCKS_DIFFER = timedelta(seconds=60)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|(?:[A-Za-z0-9+/]{2}==)")


class KeyForm(StrEnum):
    """How the shared key is written; the first means AES-256, the others AES-128."""

    BASE64_32 = "base64-32"
    SHA1_TEXT = "sha1-text-first16"
    RAW_16 = "raw-16"
    CRYPT_DERIVE_KEY = "sha1-cryptderivekey-ipad"


class IvPlace(StrEnum):
    """Where the initialization vector is."""

    PREPENDED = "prepended"
    ZERO = "zero"


@dataclass(frozen=True, kw_only=True)
class LinkSecret:
    """What a hospital and we agreed on.

    :param key: as it is typed into Epic.
    :param longest_age: how old the link's ``ts`` may be; None for links that need no ``ts``.
    """

    key: str = field(repr=False)
    form: KeyForm
    iv: IvPlace
    longest_age: timedelta | None = None


def open_link(data: str, secret: LinkSecret, *, now: datetime) -> dict[str, str]:
    """Return the fields of an encrypted query string, with their names in lower case.

    :param data: as it stands in the address, URL-encoded or decoded already.
    :raises LaunchRefused: ``launch.link_unreadable``, for whatever reason.
    :raises ConfigurationError: ``epic.link_key`` when the stored key cannot be one.
    """
    key = derive_key(secret.key, secret.form)
    try:
        fields = _fields(_decrypt(sealed_bytes(data), key=key, iv=secret.iv))
        if secret.longest_age is not None:
            _check_age(fields.get("ts", ""), longest=secret.longest_age, now=now)
    except ValueError as error:
        raise LaunchRefused("launch.link_unreadable", "Epic's link could not be read.") from error
    return fields


def derive_key(text: str, form: KeyForm) -> bytes:
    """Return the AES key that ``text`` stands for.

    :raises ConfigurationError: ``epic.link_key``.
    """
    digest = hashlib.sha1(text.encode()).digest()  # noqa: S324 - the form of key that Epic's older links use
    if form is KeyForm.SHA1_TEXT:
        return digest[:_AES128_BYTES]
    if form is KeyForm.CRYPT_DERIVE_KEY:
        # Windows' CryptDeriveKey (learn.microsoft.com/windows/win32/api/wincrypt): the hash, padded, XOR 0x36.
        padded = bytes(byte ^ 0x36 for byte in digest.ljust(64, b"\0"))
        return hashlib.sha1(padded).digest()[:_AES128_BYTES]  # noqa: S324 - as above
    try:
        key = base64.b64decode(text, validate=True) if form is KeyForm.BASE64_32 else text.encode()
    except ValueError:
        key = b""
    if len(key) != (_AES256_BYTES if form is KeyForm.BASE64_32 else _AES128_BYTES):
        raise ConfigurationError("epic.link_key", "The shared key of the context-aware link has another length.")
    return key


def sealed_bytes(data: str) -> bytes:
    """Return what ``data`` encodes: the same for every way of writing one link.

    :raises ValueError: when it is not base64.
    """
    if len(data) > LONGEST:
        raise ValueError("too long")
    text = unquote(data) if "%" in data else data
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64")
    return base64.b64decode(text, validate=True)


def _decrypt(sealed: bytes, *, key: bytes, iv: IvPlace) -> str:
    start = sealed[:_BLOCK_BYTES] if iv is IvPlace.PREPENDED else bytes(_BLOCK_BYTES)
    body = sealed[_BLOCK_BYTES:] if iv is IvPlace.PREPENDED else sealed
    if not body or len(body) % _BLOCK_BYTES:
        raise ValueError("not whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
    unpadder = PKCS7(algorithms.AES.block_size).unpadder()
    plain = decryptor.update(body) + decryptor.finalize()
    return (unpadder.update(plain) + unpadder.finalize()).decode()


def _fields(plain: str) -> dict[str, str]:
    pairs = parse_qsl(plain, keep_blank_values=True, strict_parsing=True, max_num_fields=50)
    fields = {name.casefold(): value for name, value in pairs}
    if len(fields) != len(pairs):
        raise ValueError("a field twice")
    return fields


def _check_age(written: str, *, longest: timedelta, now: datetime) -> None:
    """Refuse a link without a time, one that is too old and one from the future; ``ts`` is UTC."""
    moment = datetime.strptime(written, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    if not -_CLOCKS_DIFFER <= now - moment <= longest:
        raise ValueError("too old")
