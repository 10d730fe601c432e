"""Prove to a token endpoint who we are with a signed assertion instead of a secret.

Source: RFC 7523 section 2.2; SMART App Launch 2.2, "Asymmetric (public key) client authentication";
Epic OAuth 2.0 specification, "JWT authentication". Microsoft Entra takes the same assertion with
``PS256`` or ``RS256`` and the certificate's thumbprint in the header.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

import jwt

from core.errors import ConfigurationError
from core.private_keys import load_private_key
from epic.connection import ClientKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# Epic refuses an assertion that ends more than five minutes ahead of its own clock, one from the
# future, and one valid for more than five minutes. These leave a minute to a fast clock of ours.
VALID_FOR = timedelta(seconds=240)
BACKDATED_BY = timedelta(seconds=30)

_ALGORITHMS = frozenset({"RS384", "ES384", "RS256", "PS256"})


def client_assertion(
    key: ClientKey, *, client_id: str, audience: str, now: datetime, headers: Mapping[str, str] | None = None
) -> str:
    """Return a fresh assertion; it may be used once.

    :param audience: the token endpoint, exactly as it is called.
    :param headers: more header fields, such as Entra's ``x5t#S256``.
    :raises ConfigurationError: ``keys.unusable`` when the key cannot sign.
    """
    if key.algorithm not in _ALGORITHMS:
        raise ConfigurationError("keys.unusable", "The signing key has an unknown algorithm.", detail=key.algorithm)
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": int((now - BACKDATED_BY).timestamp()),
        "nbf": int((now - BACKDATED_BY).timestamp()),
        "exp": int((now + VALID_FOR).timestamp()),
    }
    try:
        return jwt.encode(
            claims,
            load_private_key(key.private_key),
            algorithm=key.algorithm,
            headers={**(headers or {}), "kid": key.key_id, "typ": "JWT"},
        )
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConfigurationError(
            "keys.unusable", "The signing key cannot be used.", detail=type(error).__name__
        ) from error


def assertion_fields(key: ClientKey, *, client_id: str, audience: str, now: datetime) -> dict[str, str]:
    """Return the two form fields that authenticate a token request.

    :raises ConfigurationError: ``keys.unusable`` when the key cannot sign.
    """
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(key, client_id=client_id, audience=audience, now=now),
    }
