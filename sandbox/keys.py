"""The twin's own keys: what Entra and Epic sign with."""

import json
import uuid
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.models import TwinKey

ENTRA, EPIC = "entra", "epic"
_BITS = 2048


def sign(claims: dict[str, Any], *, name: str = ENTRA) -> str:
    """Return ``claims`` as a JWT signed RS256 by the twin's key called ``name``."""
    key = _key(name)
    return jwt.encode(claims, _private(key.pem), "RS256", headers={"kid": key.key_id})


def verify(token: str, audience: str | list[str], *, name: str = ENTRA) -> dict[str, Any]:
    """Return the claims of a JWT of ours.

    :raises jwt.PyJWTError: when the signature, the audience or the time is wrong.
    """
    public = _private(_key(name).pem).public_key()
    claims: dict[str, Any] = jwt.decode(token, public, ["RS256"], audience=audience)
    return claims


def jwks(*, name: str = ENTRA) -> dict[str, Any]:
    """Return the key set that others verify with."""
    key = _key(name)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_private(key.pem).public_key()))
    return {"keys": [{**public, "kid": key.key_id, "alg": "RS256", "use": "sig"}]}


@lru_cache(maxsize=4)
def _private(pem: str) -> rsa.RSAPrivateKey:
    """Read a key; reading checks it, which takes longer than signing."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the twin signs with RSA keys only")
    return key


def _key(name: str) -> TwinKey:
    found = TwinKey.objects.filter(name=name).first()
    if found:
        return found
    private = rsa.generate_private_key(65537, _BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Two requests may come first at the same time; the key that was stored is the one for both.
    key, _ = TwinKey.objects.get_or_create(name=name, defaults={"key_id": uuid.uuid4().hex, "pem": pem.decode()})
    return key
