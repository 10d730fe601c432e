"""Which client calls Epic, proven by a signed assertion.

Source: Epic OAuth 2.0 specification, "JWT authentication"; SMART App Launch 2.2, "client-confidential-asymmetric".
"""

import time
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from django.http import HttpRequest

from sandbox import faults, once, setup
from sandbox.epic import addresses
from sandbox.jwks import key_sets
from sandbox.oauth import ASSERTION_TYPE, LEEWAY_SECONDS, OAuthRefused, assertion_header, issuer_of, verify_assertion

_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384")
_MOST_SECONDS = 300
_LONGEST_JTI = 151
_FEWEST_BITS = 2048

Client = dict[str, Any]


def find(environment: str, client_id: str) -> Client | None:
    """Return a client that this environment knows by now: new ones reach it with a delay of hours."""
    return None if faults.get("epic.client") == "not_yet_active" else setup.client(environment, client_id)


def authenticate(request: HttpRequest, *, environment: str) -> Client:
    """Return the client that a token request comes from.

    :raises OAuthRefused: ``invalid_client`` with the reason.
    """
    if faults.get("epic.token") == "invalid_client":
        raise OAuthRefused("invalid_client", "switched on as a fault")
    if request.POST.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthRefused("invalid_client", "a client assertion is needed")
    assertion = request.POST.get("client_assertion", "")
    header = assertion_header(assertion)
    client = find(environment, issuer_of(assertion))
    if client is None:
        raise OAuthRefused("invalid_client", "unknown client")
    claims = verify_assertion(
        assertion,
        (key for key in key_sets.candidates(client["jwks_url"], header) if _is_long_enough(key)),
        client_id=client["client_id"],
        audience=f"{addresses.oauth(environment)}/token",
        algorithms=_ALGORITHMS,
    )
    _check_limits(claims)
    return client


def _is_long_enough(key: Any) -> bool:
    return not isinstance(key, rsa.RSAPublicKey) or key.key_size >= _FEWEST_BITS


def _check_limits(claims: dict[str, Any]) -> None:
    """Refuse an assertion that lasts longer than five minutes, or was used before."""
    begins = max(claims.get("iat", 0), claims.get("nbf", 0))
    if claims["exp"] > time.time() + _MOST_SECONDS + LEEWAY_SECONDS:
        raise OAuthRefused("invalid_client", "exp is more than five minutes ahead")
    if begins and claims["exp"] - begins > _MOST_SECONDS:
        raise OAuthRefused("invalid_client", "exp is more than five minutes behind iat or nbf")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise OAuthRefused("invalid_client", "jti has to be a text of at most 151 characters")
    if not once.is_first("jti", f"{claims['iss']} {jti}", lasts=timedelta(seconds=2 * _MOST_SECONDS)):
        raise OAuthRefused("invalid_client", "jti was used before")
