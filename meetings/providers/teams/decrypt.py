"""Open the encrypted content of a rich notification.

Documentation: learn.microsoft.com/graph/change-notifications-with-resource-data. Checked: 2026-11-24.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.errors import InvalidMessage
from core.private_keys import load_private_key

_IV_BYTES = 16
_BLOCK_BITS = 128


def open_content(content: dict[str, Any], *, private_key: str, certificate: str) -> dict[str, Any]:
    """Return the resource data inside ``encryptedContent``.

    The data key comes under RSA-OAEP (SHA-1); the data under AES-CBC with PKCS7 padding and the key's first 16
    bytes as IV; an HMAC-SHA256 over the cipher bytes is checked before anything is decrypted with that key.

    :param private_key: PEM; ``certificate`` is its certificate, PEM.
    :raises InvalidMessage: ``notification.thumbprint``, ``.data_key``, ``.signature`` or ``.unreadable``.
    """
    check_thumbprint(content, certificate=certificate)
    key = _data_key(_bytes(content, "dataKey"), private_key=private_key)
    data = _bytes(content, "data")
    if not hmac.compare_digest(hmac.digest(key, data, hashlib.sha256), _bytes(content, "dataSignature")):
        raise InvalidMessage("notification.signature")
    try:
        opened = json.loads(_decrypt(data, key))
    except ValueError as error:
        raise InvalidMessage("notification.unreadable") from error
    if not isinstance(opened, dict):
        raise InvalidMessage("notification.unreadable")
    return opened


def check_thumbprint(content: dict[str, Any], *, certificate: str) -> None:
    """Make sure that the content was encrypted for ``certificate``; the thumbprint is SHA-1 in hexadecimal.

    :raises InvalidMessage: ``notification.thumbprint``.
    """
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    expected = loaded.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - names a certificate, protects nothing
    if str(content.get("encryptionCertificateThumbprint", "")).lower() != expected:
        raise InvalidMessage("notification.thumbprint")


def _data_key(sealed: bytes, *, private_key: str) -> bytes:
    key = load_private_key(private_key)
    if not isinstance(key, RSAPrivateKey):
        raise InvalidMessage("notification.data_key", detail="our key is not RSA")
    oaep = asymmetric.OAEP(mgf=asymmetric.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303 - as documented
    try:
        return key.decrypt(sealed, oaep)
    except ValueError as error:
        raise InvalidMessage("notification.data_key") from error


def _decrypt(data: bytes, key: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_IV_BYTES])).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    padded = decryptor.update(data) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _bytes(content: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(content[name]), validate=True)
    except (KeyError, ValueError) as error:
        raise InvalidMessage("notification.unreadable", detail=name) from error
