"""Key pairs: made on authorization, published for Epic and Graph, switched later."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.db import transaction

from config_portal.models import FhirEndpoint, Organization, SigningKey
from core import audit
from core.errors import ConfigurationError
from core.queries import Lookup
from epic.connection import ClientKey

RSA_BITS = 3072
VALID_FOR = timedelta(days=730)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

PURPOSE_NAMES = {
    SigningKey.Purpose.SMART_RS384: "Signature for Epic, RS384",
    SigningKey.Purpose.SMART_ES384: "Signature for Epic, ES384",
    SigningKey.Purpose.NOTIFICATION: "Encryption of Teams events",
}

_ALGORITHMS = {SigningKey.Purpose.SMART_RS384: "RS384", SigningKey.Purpose.SMART_ES384: "ES384"}
# An organization has at most one for each purpose and environment.
_ACTIVE = Lookup(
    lambda: SigningKey.objects.filter(state=SigningKey.State.ACTIVE), "organization", "environment", "purpose"
)


@transaction.atomic
def create_keys(organization: Organization, *, environment: str, now: datetime, activate: bool) -> list[SigningKey]:
    """Make one key pair for every purpose in one environment.

    :param activate: use them at once; False only publishes them, for a rotation.
    """
    state = SigningKey.State.ACTIVE if activate else SigningKey.State.PUBLISHED
    keys = [
        _make(organization, environment=environment, purpose=purpose, state=state, now=now)
        for purpose in SigningKey.Purpose
    ]
    audit.record(
        "keys.created", organization_id=organization.pk, key_ids=[key.key_id for key in keys], environment=environment
    )
    return keys


def active_key(organization: Organization, *, environment: str, purpose: str) -> SigningKey:
    """Return the key in use.

    :raises ConfigurationError: ``keys.missing``.
    """
    key = _ACTIVE.find(organization.pk, environment, purpose)
    if key is None:
        raise ConfigurationError(
            "keys.missing", "This organization has no keys yet. Authorize it first.", detail=purpose
        )
    return key


def client_key(endpoint: FhirEndpoint, *, purpose: str = SigningKey.Purpose.SMART_RS384) -> ClientKey:
    """Return the key that proves to Epic who we are, as adapters take it.

    :raises ConfigurationError: ``keys.missing``.
    """
    key = active_key(endpoint.organization, environment=endpoint.environment, purpose=purpose)
    return ClientKey(key_id=key.key_id, algorithm=_ALGORITHMS[SigningKey.Purpose(purpose)], private_key=key.private_key)


def algorithm_of(purpose: str) -> str:
    """Return the JWS name of what a key of this purpose signs with, such as ``RS384``."""
    return _ALGORITHMS[SigningKey.Purpose(purpose)]


def purpose_of(algorithm: str) -> SigningKey.Purpose:
    """Return which of our keys signs with ``RS384`` or ``ES384``."""
    return next(purpose for purpose, name in _ALGORITHMS.items() if name == algorithm)


def confirm_key(key_id: str, *, now: datetime) -> None:
    """Note that Epic accepted a signature of this key; the first time counts."""
    SigningKey.objects.filter(key_id=key_id, confirmed_at=None).update(confirmed_at=now)


def public_keys(endpoint: FhirEndpoint) -> dict[str, Any]:
    """Return the JSON Web Key Set that Epic fetches for ``endpoint`` (RFC 7517): every key not retired."""
    keys = endpoint.organization.signing_keys.filter(environment=endpoint.environment, purpose__in=_ALGORITHMS)
    return {"keys": [key.public_jwk for key in keys.published().order_by("created_at")]}


@dataclass(frozen=True, kw_only=True)
class NewCertificate:
    """A fresh self-signed certificate and its RSA key, both PEM."""

    certificate: str
    private_key: str = field(repr=False)
    expires_at: datetime


def new_certificate(*, name: str, now: datetime) -> NewCertificate:
    """Make a key pair and a certificate for it, valid for two years."""
    private = rsa.generate_private_key(65537, RSA_BITS)
    return NewCertificate(
        certificate=_certificate(private, name=name, now=now), private_key=_pem(private), expires_at=now + VALID_FOR
    )


def _make(organization: Organization, *, environment: str, purpose: str, state: str, now: datetime) -> SigningKey:
    is_curve = purpose == SigningKey.Purpose.SMART_ES384
    private = ec.generate_private_key(ec.SECP384R1()) if is_curve else rsa.generate_private_key(65537, RSA_BITS)
    key_id = uuid.uuid4().hex
    return SigningKey.objects.create(
        organization=organization,
        environment=environment,
        purpose=purpose,
        state=state,
        key_id=key_id,
        private_key=_pem(private),
        public_jwk=_jwk(private, key_id=key_id, algorithm="ES384" if is_curve else "RS384"),
        certificate=_certificate(private, name=f"EHR connector {purpose}", now=now),
        activated_at=now if state == SigningKey.State.ACTIVE else None,
    )


def _pem(private: PrivateKey) -> str:
    plain = serialization.NoEncryption()  # the column encrypts
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def _jwk(private: PrivateKey, *, key_id: str, algorithm: str) -> dict[str, Any]:
    if isinstance(private, rsa.RSAPrivateKey):
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    else:
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private.public_key()))
    return {**jwk, "kid": key_id, "alg": algorithm, "use": "sig", "key_ops": ["verify"]}


def _certificate(private: PrivateKey, *, name: str, now: datetime) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(minutes=5))
        .not_valid_after(now.astimezone(UTC) + VALID_FOR)
        .sign(private, hashes.SHA384())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
