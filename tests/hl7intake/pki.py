"""Certificates for tests, in every form a hospital's tools may write."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


def make_identity(name: str = "bridges.lamna.example.org", **values: Any) -> Identity:
    """Return a certificate, self-signed and valid now unless told otherwise."""
    key: Key = values.pop("key", None) or ec.generate_private_key(ec.SECP256R1())
    issuer: Identity | None = values.pop("issuer", None)
    start = values.pop("start", datetime.now(UTC) - DAY)
    end = values.pop("end", start + 30 * DAY)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension in values.pop("extensions", ()):
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, values.pop("hash", hashes.SHA256()))
    assert not values
    return Identity(certificate, key)


def client_context(identity: Identity | None, folder: Path) -> ssl.SSLContext:
    """Return the TLS context of a sender that trusts any listener."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if identity is not None:
        certificate, key = identity.write(folder, f"client-{identity.certificate.serial_number}")
        context.load_cert_chain(certificate, key)
    return context
