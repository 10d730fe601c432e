import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID

from core.errors import ConfigurationError
from core.models import AuditEvent
from hl7intake.certificates import REFUSALS, read_certificate
from hl7intake.models import SenderCertificate
from hl7intake.services.certificates import add_certificate, revoke
from tests.factories import make_endpoint
from tests.hl7intake.pki import DAY, make_identity

NOW = datetime.now(UTC)
IDENTITY = make_identity()
PEM, DER = IDENTITY.pem, IDENTITY.der
BASE64 = base64.b64encode(DER)

# Made with: openssl req -x509 -sha1 -days 36500 -addext basicConstraints=CA:FALSE; we cannot sign so badly.
SIGNED_WITH_SHA_1 = b"""
-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUXtoxtpYB1Vhuvssmxr6r6yxNA20wCQYHKoZIzj0EATAg
MR4wHAYDVQQDDBVvbGQubGFtbmEuZXhhbXBsZS5vcmcwIBcNMjYxMTI0MTM1OTI5
WhgPMjEyNjEwMzExMzU5MjlaMCAxHjAcBgNVBAMMFW9sZC5sYW1uYS5leGFtcGxl
Lm9yZzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL4AY1VDAJZ3o9PdZ/UZQdKn
55GxdspBp30djripitI2s9NeonyEwCTBJ9dkzkeHf+DgGUvQ6xbqExm5Zb0XbUqj
TTBLMB0GA1UdDgQWBBSt3cxYMZW1Hfchw/DnyoebfLR6vDAfBgNVHSMEGDAWgBSt
3cxYMZW1Hfchw/DnyoebfLR6vDAJBgNVHRMEAjAAMAkGByqGSM49BAEDSAAwRQIg
MnM35r98c4ArSxFPT4GS6zkmySXp8CZYMI0z636Ns+wCIQCR3lL/z/iCJaZ0SsnF
tDMrSnuQxSzXlRXuq3EJgZyaNQ==
-----END CERTIFICATE-----
"""

ACCEPTED = {
    "pem": PEM,
    "pem with crlf": PEM.replace(b"\n", b"\r\n"),
    "pem with a byte order mark": b"\xef\xbb\xbf" + PEM,
    "pem as notepad's utf-16": PEM.decode().encode("utf-16"),
    "pem as utf-16 big endian": b"\xfe\xff" + PEM.decode().encode("utf-16-be"),
    "pem with bag attributes": b"Bag Attributes\n    friendlyName: bridges\nsubject=/CN=x\n" + PEM,
    "pem with spaces around": b"\n\n  " + PEM + b"\n \n",
    "der": DER,
    "base64": BASE64,
    "base64 in lines": b"\r\n".join(BASE64[i : i + 64] for i in range(0, len(BASE64), 64)) + b"\r\n",
    "base64 as utf-16": BASE64.decode().encode("utf-16"),
}


@pytest.mark.parametrize("form", ACCEPTED)
def test_a_certificate_is_read_in_every_form(form):
    details = read_certificate(ACCEPTED[form], now=NOW)

    assert details.fingerprint == hashlib.sha256(DER).hexdigest()
    assert details.pem.encode() == PEM
    assert details.subject == "CN=bridges.lamna.example.org"
    assert details.not_after > NOW


AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)
ROOT = make_identity("Lamna Root", extensions=[AUTHORITY])
ISSUING = make_identity("Lamna Issuing", issuer=ROOT, extensions=[AUTHORITY])
ISSUED = make_identity(issuer=ISSUING)

CHAINS = {
    "leaf first": (ISSUED, ISSUING, ROOT),
    "root first": (ROOT, ISSUING, ISSUED),
    "mixed": (ISSUING, ISSUED, ROOT),
    "without root": (ISSUED, ISSUING),
}


@pytest.mark.parametrize("order", CHAINS)
def test_the_senders_own_certificate_is_taken_out_of_a_chain(order):
    details = read_certificate(b"".join(one.pem for one in CHAINS[order]), now=NOW)

    assert details.fingerprint == hashlib.sha256(ISSUED.der).hexdigest()
    assert (details.issuer, details.chain_length) == ("CN=Lamna Issuing", len(CHAINS[order]))
    assert details.key == "Elliptic curve secp256r1"


def test_a_certificate_that_is_in_the_file_twice_is_one():
    assert read_certificate(PEM + PEM, now=NOW).chain_length == 1


def _private(key: ec.EllipticCurvePrivateKey, encoding, encryption=None) -> bytes:
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, encryption or serialization.NoEncryption())


def _refused_files() -> dict[str, tuple[bytes, str]]:
    key = IDENTITY.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    locked = serialization.BestAvailableEncryption(b"secret")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    bundle = [IDENTITY.certificate]
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    authority = make_identity(extensions=[AUTHORITY])
    return {
        "nothing": (b"", "empty"),
        "blanks": (b" \r\n", "empty"),
        "17 KB": (PEM + b"\n" * 17 * 1024, "too_long"),
        "key and certificate": (PEM + _private(key, pem), "private_key"),
        "certificate and key": (_private(key, pem) + PEM, "private_key"),
        "encrypted key": (_private(key, pem, locked), "private_key"),
        "key der": (_private(key, der), "private_key"),
        "encrypted key der": (_private(key, der, locked), "private_key"),
        "request": (request.public_bytes(pem), "request"),
        "request der": (request.public_bytes(der), "request"),
        "pkcs7": (pkcs7.serialize_certificates(bundle, pem), "pkcs7"),
        "pkcs7 der": (pkcs7.serialize_certificates(bundle, der), "pkcs7"),
        "pkcs12": (pkcs12.serialize_key_and_certificates(b"x", key, bundle[0], None, locked), "pkcs12"),
        "public key": (key.public_key().public_bytes(pem, public), "public_key"),
        "public key der": (key.public_key().public_bytes(der, public), "public_key"),
        "two": (PEM + make_identity().pem, "several"),
        "a chain and a stranger": (ISSUED.pem + ISSUING.pem + PEM, "several"),
        "a chain with a gap": (ISSUED.pem + ROOT.pem, "several"),
        "two issued by one": (ISSUED.pem + make_identity(issuer=ISSUING).pem + ISSUING.pem, "several"),
        "web page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web_page"),
        "text": (b"please find attached", "unreadable"),
        "base64 of text": (base64.b64encode(b"please find attached"), "unreadable"),
        "broken pem": (PEM.replace(b"M", b"N"), "unreadable"),
        "truncated der": (DER[:-20], "unreadable"),
        "two der": (DER + DER, "unreadable"),
        "binary": (bytes(range(128, 256)), "unreadable"),
        "rsa 1024": (make_identity(key=weak).pem, "weak_key"),
        "small curve": (make_identity(key=ec.generate_private_key(ec.SECP224R1())).pem, "weak_key"),
        "authority": (authority.pem, "authority"),
        "expired": (make_identity(start=NOW - 30 * DAY, end=NOW - DAY).pem, "expired"),
        "not yet valid": (make_identity(start=NOW + DAY).pem, "not_yet_valid"),
    }


REFUSED = _refused_files()


@pytest.mark.parametrize("form", REFUSED)
def test_everything_else_is_refused_with_a_message_of_its_own(form):
    data, reason = REFUSED[form]
    with pytest.raises(ConfigurationError) as refused:
        read_certificate(data, now=NOW)

    assert (refused.value.code, refused.value.user_message) == (f"certificate.{reason}", REFUSALS[reason])


def test_a_sha_1_signature_is_refused():
    with pytest.raises(ConfigurationError, match="weak_signature"):
        read_certificate(SIGNED_WITH_SHA_1, now=NOW)


@pytest.mark.django_db
def test_a_certificate_is_pinned_to_its_endpoint_with_an_audit_event():
    endpoint = make_endpoint()
    certificate = add_certificate(endpoint, PEM, actor="dana.ortiz@lamna.example.org", now=NOW)

    assert (certificate.endpoint, certificate.organization) == (endpoint, endpoint.organization)
    assert list(SenderCertificate.objects.accepted_at(NOW)) == [certificate]
    event = AuditEvent.objects.get(action="certificate.added")
    assert event.organization_id == endpoint.organization_id
    assert event.data["fingerprint"] == certificate.fingerprint


@pytest.mark.django_db
def test_one_certificate_opens_one_endpoint_only():
    add_certificate(make_endpoint(), PEM, actor="dana", now=NOW)

    with pytest.raises(ConfigurationError, match=r"certificate\.in_use"):
        add_certificate(make_endpoint(), DER, actor="dana", now=NOW)
    assert SenderCertificate.objects.count() == 1


@pytest.mark.django_db
def test_several_certificates_may_be_valid_at_once():
    endpoint = make_endpoint()
    add_certificate(endpoint, PEM, actor="dana", now=NOW)
    add_certificate(endpoint, make_identity().pem, actor="dana", now=NOW)

    assert SenderCertificate.objects.accepted_at(NOW).count() == 2


@pytest.mark.django_db
def test_a_revoked_certificate_is_refused_and_may_be_added_again():
    endpoint = make_endpoint()
    certificate = add_certificate(endpoint, PEM, actor="dana", now=NOW)
    revoke(certificate, actor="dana", now=NOW)
    revoke(certificate, actor="dana", now=NOW + timedelta(seconds=1))

    assert not SenderCertificate.objects.accepted_at(NOW).exists()
    assert SenderCertificate.objects.get().revoked_at == NOW
    assert AuditEvent.objects.filter(action="certificate.revoked").count() == 1
    add_certificate(endpoint, PEM, actor="dana", now=NOW)


@pytest.mark.django_db
def test_a_certificate_counts_only_between_its_dates():
    certificate = add_certificate(make_endpoint(), PEM, actor="dana", now=NOW)

    assert not SenderCertificate.objects.accepted_at(certificate.not_after).exists()
    assert not SenderCertificate.objects.accepted_at(certificate.not_before - timedelta(seconds=1)).exists()
