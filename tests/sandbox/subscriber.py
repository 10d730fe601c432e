"""A subscriber's side of rich notifications, written from Microsoft's description and not from the twin's code."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509.oid import NameOID


class Subscriber:
    """A key pair and what it reads."""

    def __init__(self, *, bits: int = 2048) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "subscriber.example.org")])
        now = dt.datetime.now(dt.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + dt.timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def certificate(self) -> str:
        """Base64 DER, as a subscription carries it."""
        return base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def thumbprint(self) -> str:
        return hashlib.sha1(self._certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()  # noqa: S324

    def read(self, content: dict[str, Any]) -> dict[str, Any]:
        """Check and decrypt an ``encryptedContent``."""
        sha1 = hashes.SHA1()  # noqa: S303 - the documented scheme
        oaep = padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None)
        key = self.key.decrypt(base64.b64decode(content["dataKey"]), oaep)
        data = base64.b64decode(content["data"])
        signature = base64.b64encode(hmac.new(key, data, hashlib.sha256).digest()).decode()
        assert hmac.compare_digest(signature, content["dataSignature"])
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        padded = decryptor.update(data) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        plain: dict[str, Any] = json.loads(unpadder.update(padded) + unpadder.finalize())
        return plain
