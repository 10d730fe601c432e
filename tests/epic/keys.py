"""Key pairs for tests, made once: an RSA key takes a while."""

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from epic.connection import ClientKey

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def private_key(name: str) -> PrivateKey:
    """Return the key pair called ``name``; names that begin with ``es`` are on the curve P-384."""
    if name.startswith("es"):
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def client_key(name: str, algorithm: str) -> ClientKey:
    pem = private_key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ClientKey(key_id=name, algorithm=algorithm, private_key=pem.decode())


def public_jwk(name: str, algorithm: str) -> dict[str, Any]:
    key = private_key(name)
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())
    else:
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())
    return {**json.loads(jwk), "kid": name, "alg": algorithm, "use": "sig"}
