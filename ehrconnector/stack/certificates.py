"""Self-signed certificates of the demonstration's HL7 connection: its listener and its sender.

In a hospital the listener's certificate comes from its own authority, and the sender is the
integration engine (Epic Bridges), whose certificate the administrator uploads.
"""

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SENDER = "Lamna Healthcare Bridges"
LISTENER = "localhost"
_VALID = dt.timedelta(days=365)
_RENEW_BEFORE = dt.timedelta(days=7)


def ensure_certificates(folder: Path, *, now: dt.datetime) -> None:
    """Create what is missing or about to end: ``listener.crt``, ``bridges.crt`` and their keys (PEM)."""
    wanted = {
        "listener": (LISTENER, ExtendedKeyUsageOID.SERVER_AUTH),
        "bridges": (SENDER, ExtendedKeyUsageOID.CLIENT_AUTH),
    }
    for name, (subject, usage) in wanted.items():
        if not _is_good(folder / f"{name}.crt", now=now):
            _create(folder / name, subject=subject, usage=usage, now=now)


def _is_good(path: Path, *, now: dt.datetime) -> bool:
    if not path.exists() or not path.with_suffix(".key").exists():
        return False
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc > now + _RENEW_BEFORE


def _create(path: Path, *, subject: str, usage: x509.ObjectIdentifier, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lamna Healthcare"),
            x509.NameAttribute(NameOID.COMMON_NAME, subject),
        ]
    )
    names = [x509.DNSName(LISTENER), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(path.with_suffix(".key"), pem, mode=0o600)
    _write(path.with_suffix(".crt"), certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.replace(path)
