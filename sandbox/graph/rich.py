"""Encrypt a notification's resource data, as Graph documents it under "change notifications with resource data"."""

import base64
import hashlib
import hmac
import secrets
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric_padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_KEY_BYTES = 32
_IV_BYTES = 16
_BLOCK_BITS = 128
_RSA_BITS = range(2048, 4097)


def load_certificate(encoded: str) -> x509.Certificate:
    """Return the certificate in base64 DER ``encoded``.

    :raises ValueError: not base64, not a certificate, or not RSA of 2048 to 4096 bits.
    """
    certificate = x509.load_der_x509_certificate(base64.b64decode(encoded, validate=True))
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise ValueError("the key has to be RSA of 2048 to 4096 bits")
    return certificate


def encrypt(plain: bytes, *, certificate: str, certificate_id: str) -> dict[str, Any]:
    """Return ``plain`` as the ``encryptedContent`` of a notification.

    A fresh AES key encrypts the data (CBC, PKCS7, the key's first 16 bytes as IV) and signs the result
    (HMAC-SHA256 over the raw cipher bytes); the subscriber's RSA key encrypts the AES key (OAEP, SHA-1).
    """
    loaded = load_certificate(certificate)
    public_key = loaded.public_key()
    assert isinstance(public_key, RSAPublicKey)  # noqa: S101 - load_certificate accepts nothing else
    key = secrets.token_bytes(_KEY_BYTES)
    data = _encrypt_data(plain, key)
    oaep = asymmetric_padding.OAEP(
        mgf=asymmetric_padding.MGF1(hashes.SHA1()),  # noqa: S303 - the documented scheme
        algorithm=hashes.SHA1(),  # noqa: S303 - the documented scheme
        label=None,
    )
    return {
        "data": _base64(data),
        "dataSignature": _base64(hmac.digest(key, data, hashlib.sha256)),
        "dataKey": _base64(public_key.encrypt(key, oaep)),
        "encryptionCertificateId": certificate_id,
        "encryptionCertificateThumbprint": loaded.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name
    }


def _encrypt_data(plain: bytes, key: bytes) -> bytes:
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_IV_BYTES])).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
