"""Read the certificate file that a hospital uploads, in whatever form its tools wrote it.

Accepted: an X.509 certificate, PEM, DER or bare base64, with any line ends, with a byte order mark, also as
Notepad's UTF-16; and a PEM chain, out of which the sender's own certificate is taken. Everything else is
refused with its own sentence.
"""

import base64
import binascii
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from core.errors import ConfigurationError

MAX_BYTES = 16 * 1024
_RSA_BITS, _CURVE_BITS = 2048, 256
_WEAK_HASHES = frozenset({"md5", "sha1"})
_OID_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_OID_PKCS_DATA = bytes.fromhex("06092a864886f70d010701")
_BEGIN = "-----BEGIN"

REFUSALS = {
    "empty": "The file is empty.",
    "too_long": "The file is larger than 16 KB. Choose the file that holds the certificate alone.",
    "private_key": (
        "The file holds a private key. Nothing was kept. Export the certificate without its key; if the key "
        "has left its server before, replace it."
    ),
    "request": "This is a certificate request, not a certificate. Upload the certificate that was issued for it.",
    "pkcs7": "This is a PKCS #7 bundle (.p7b). Export the certificate alone, as Base-64 X.509 (.cer).",
    "pkcs12": "This is a PKCS #12 file (.pfx), which holds a private key. Export the certificate alone (.cer).",
    "public_key": "This is a public key without a certificate. Upload the certificate (.cer).",
    "several": (
        "The file holds several certificates that form no chain. Upload only the one that the sender presents."
    ),
    "web_page": "This is a web page, not a certificate. Download the certificate itself.",
    "unreadable": "This is not a certificate we can read. Export it as Base-64 X.509 (.cer).",
    "weak_key": "The key is too weak. It needs RSA with 2048 bits or more, or an elliptic curve of 256 bits or more.",
    "weak_signature": "The certificate is signed with SHA-1 or MD5. Have it issued with SHA-256 or better.",
    "authority": (
        "This certificate belongs to an authority that issues others. Upload the certificate that the sender presents."
    ),
    "expired": "The certificate has expired. Upload the one that replaced it.",
    "not_yet_valid": "The certificate is not valid yet. Check its dates.",
}


@dataclass(frozen=True, kw_only=True)
class CertificateDetails:
    """What there is to know about a certificate; fingerprints are SHA-256, hexadecimal.

    :param key: kind and strength of the public key, such as ``RSA 2048 bits``.
    :param chain_length: how many certificates the file held; the others are those that issued this one.
    """

    subject: str
    issuer: str
    key: str
    fingerprint: str
    spki_sha256: str
    pem: str
    not_before: datetime
    not_after: datetime
    chain_length: int = 1


def read_certificate(data: bytes, *, now: datetime) -> CertificateDetails:
    """Return the certificate in ``data``.

    :raises ConfigurationError: ``certificate.<reason>``, one of :data:`REFUSALS`.
    """
    if not data.strip():
        _refuse("empty")
    if len(data) > MAX_BYTES:
        _refuse("too_long")
    found = [_load(der) for der in dict.fromkeys(_ders_of(data))]
    certificate = _leaf_of(found)
    _check(certificate, now=now)
    return describe(certificate, chain_length=len(found))


def describe_pem(pem: str) -> CertificateDetails:
    """Return what there is to know about a certificate that was read before."""
    return describe(x509.load_pem_x509_certificate(pem.encode()))


def describe(certificate: x509.Certificate, *, chain_length: int = 1) -> CertificateDetails:
    """Return what there is to know about ``certificate``."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return CertificateDetails(
        subject=certificate.subject.rfc4514_string()[:500],
        issuer=certificate.issuer.rfc4514_string()[:500],
        key=_named(certificate.public_key()),
        fingerprint=hashlib.sha256(der).hexdigest(),
        spki_sha256=hashlib.sha256(spki).hexdigest(),
        pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        chain_length=chain_length,
    )


def _ders_of(data: bytes) -> list[bytes]:
    if data[:1] == b"\x30":
        return [data]
    text = _text_of(data)
    if _BEGIN in text:
        return _ders_of_pem(text)
    if "<html" in text.lower() or "<!doctype" in text.lower():
        _refuse("web_page")
    try:
        return [base64.b64decode("".join(text.split()), validate=True)]
    except (binascii.Error, ValueError):
        _refuse("unreadable")


def _text_of(data: bytes) -> str:
    encodings = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}
    try:
        return data.decode(encodings.get(data[:2], "utf-8")).strip("\0")
    except UnicodeDecodeError:
        _refuse("unreadable")


def _ders_of_pem(text: str) -> list[bytes]:
    labels = [line.strip() for line in text.splitlines() if line.strip().startswith(_BEGIN)]
    for mark, reason in (
        ("PRIVATE KEY", "private_key"),
        ("CERTIFICATE REQUEST", "request"),
        ("PKCS7", "pkcs7"),
        ("CMS", "pkcs7"),
        ("PUBLIC KEY", "public_key"),
    ):
        if any(mark in label for label in labels):
            _refuse(reason)
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        _refuse("unreadable")
    return [certificate.public_bytes(serialization.Encoding.DER) for certificate in found]


def _leaf_of(found: list[x509.Certificate]) -> x509.Certificate:
    """Return the certificate at the end of the chain that ``found`` is, in whatever order."""
    if len(found) == 1:
        return found[0]
    leaves = [one for one in found if not any(one is not other and _has_issued(one, other) for other in found)]
    if len(leaves) != 1:
        _refuse("several")
    chain = [leaves[0]]
    rest = [one for one in found if one is not leaves[0]]
    while issuer := next((one for one in rest if _has_issued(one, chain[-1])), None):
        chain.append(issuer)
        rest.remove(issuer)
    if rest:
        _refuse("several")
    return leaves[0]


def _has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _load(der: bytes) -> x509.Certificate:
    try:
        with warnings.catch_warnings():
            # Old tools write serial numbers that today's standard forbids; the pin does not depend on them.
            warnings.simplefilter("ignore")
            return x509.load_der_x509_certificate(der)
    except ValueError:
        _refuse(_what_else(der))


def _what_else(der: bytes) -> str:
    """Name what ``der`` is instead of a certificate."""
    if _OID_SIGNED_DATA in der[:32]:
        return "pkcs7"
    if _OID_PKCS_DATA in der[:48]:
        return "pkcs12"
    kinds: dict[str, Callable[[bytes], object]] = {
        "request": x509.load_der_x509_csr,
        "public_key": serialization.load_der_public_key,
        "private_key": lambda data: serialization.load_der_private_key(data, password=None),
    }
    for reason, load in kinds.items():
        try:
            load(der)
        except TypeError:  # an encrypted private key
            return "private_key"
        except ValueError:
            continue
        return reason
    return "unreadable"


def _check(certificate: x509.Certificate, *, now: datetime) -> None:
    try:
        key = certificate.public_key()
        hash_name = certificate.signature_hash_algorithm.name if certificate.signature_hash_algorithm else ""
        is_authority = _is_authority(certificate)
    except ValueError:
        _refuse("unreadable")
    if not _is_strong(key):
        _refuse("weak_key")
    if hash_name in _WEAK_HASHES:
        _refuse("weak_signature")
    if is_authority:
        _refuse("authority")
    if certificate.not_valid_after_utc <= now:
        _refuse("expired")
    if certificate.not_valid_before_utc > now:
        _refuse("not_yet_valid")


def _is_strong(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.key_size >= _CURVE_BITS
    return isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def _named(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"Elliptic curve {key.curve.name}"
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _refuse(reason: str) -> NoReturn:
    raise ConfigurationError(f"certificate.{reason}", REFUSALS[reason])
