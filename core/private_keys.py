"""Private keys, read once: OpenSSL checks an RSA key each time it is read, which takes longer than to sign with it.

Kept by their whole text, so that a key that is rotated is a new one, and few, so that an old one is soon forgotten.
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MOST_KEYS = 64


@lru_cache(maxsize=MOST_KEYS)
def load_private_key(pem: str) -> RSAPrivateKey | EllipticCurvePrivateKey:
    """Return the RSA or elliptic-curve key that ``pem`` holds, without a password.

    :raises ValueError: when it is no such key. :raises TypeError: when it needs a password.
    """
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ValueError("neither RSA nor an elliptic curve")  # noqa: TRY004 - of the right type, of the wrong kind
    return key
