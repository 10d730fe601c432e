"""Graph's side, written from Microsoft's description: an encrypted, signed notification and how to spoil it."""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

NOTIFIER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
PROVIDER = "aaaaaaaa-0001-4000-8000-000000000005"


class Entra:
    """A key that signs validation tokens and the documents that publish it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = secrets.token_hex(8)

    @property
    def key_set(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.key_id, "use": "sig"}]}

    def publish(self, http: Any) -> None:
        """Answer the two look-ups with what this Entra publishes."""
        keys_url = f"{self.base_url}/common/discovery/keys"
        http.get(f"{self.base_url}/common/.well-known/openid-configuration", json={"jwks_uri": keys_url})
        http.get(keys_url, json=self.key_set)

    def token(self, **claims: Any) -> str:
        now = datetime.now(UTC)
        return self.sign(
            {"appid": NOTIFIER, "iat": now, "nbf": now, "exp": now + timedelta(hours=1), **claims}, key=self.key
        )

    def sign(self, claims: dict[str, Any], *, key: rsa.RSAPrivateKey) -> str:
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": self.key_id})


def encrypt(payload: bytes, *, certificate: str, key_id: str) -> dict[str, str]:
    """Return ``encryptedContent`` as the documentation describes it."""
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    public = loaded.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    key = secrets.token_bytes(32)
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(padder.update(payload) + padder.finalize()) + encryptor.finalize()
    sha1 = hashes.SHA1()  # noqa: S303 - the documented scheme
    sealed = public.encrypt(key, padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None))
    return {
        "data": base64.b64encode(data).decode(),
        "dataSignature": base64.b64encode(hmac.digest(key, data, hashlib.sha256)).decode(),
        "dataKey": base64.b64encode(sealed).decode(),
        "encryptionCertificateId": key_id,
        "encryptionCertificateThumbprint": loaded.fingerprint(sha1).hex().upper(),
    }


def roster(*people: dict[str, Any], at: str = "2026-11-24T15:00:00.0000000Z") -> dict[str, Any]:
    """Return the newest kind of roster event."""
    return {
        "@odata.type": "#microsoft.graph.callevent",
        "id": str(uuid.uuid4()),
        "eventType": "rosterUpdated",
        "eventDateTime": at,
        "participants@delta": list(people),
    }


def member(connection: str, tenant: str, *, object_id: str = PROVIDER, **values: Any) -> dict[str, Any]:
    """Return somebody with an account of ``tenant``."""
    user = {"id": object_id, "displayName": "Amara Okafor", "tenantId": tenant}
    return {"id": connection, "isInLobby": False, "info": {"identity": {"user": user}}, **values}


def guest(connection: str, **values: Any) -> dict[str, Any]:
    """Return somebody without an account."""
    identity = {"guest": {"id": f"guest-{connection}", "displayName": "Elena"}}
    return {"id": connection, "isInLobby": False, "info": {"identity": identity}, **values}


GONE = {"removedState": {"reason": "Participant has left the meeting call."}}
