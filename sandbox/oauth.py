"""What both authorization servers check in the same way: PKCE and JWT assertions (RFC 7636, RFC 7523)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import jwt

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY_SECONDS = 5


class OAuthRefused(Exception):
    """A request that an authorization server refuses.

    :param error: the OAuth error code, such as ``invalid_client``.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def check_pkce(challenge: str, verifier: str) -> None:
    """Refuse a verifier that is not the one behind ``challenge``; no challenge, no check.

    :raises OAuthRefused: ``invalid_grant``.
    """
    if not challenge:
        return
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(digest.encode(), challenge.encode()):
        raise OAuthRefused("invalid_grant", "code_verifier does not match")


def assertion_header(assertion: str) -> dict[str, Any]:
    """Return the header of a client assertion, which says with what to verify it.

    :raises OAuthRefused: ``invalid_client`` when it is no JWT.
    """
    try:
        return jwt.get_unverified_header(assertion)
    except jwt.PyJWTError as error:
        raise OAuthRefused("invalid_client", "the assertion is no JWT") from error


def issuer_of(assertion: str) -> str:
    """Return whom an assertion claims to come from, before anything is verified; '' when it does not say."""
    try:
        return str(jwt.decode(assertion, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        return ""


def verify_assertion(
    assertion: str, keys: Iterable[Any], *, client_id: str, audience: str, algorithms: tuple[str, ...]
) -> dict[str, Any]:
    """Return the claims of a client assertion that one of ``keys`` verifies.

    ``iss`` and ``sub`` have to be the client and ``aud`` exactly ``audience``; ``exp`` ahead, ``nbf`` and
    ``iat`` not in the future.

    :raises OAuthRefused: ``invalid_client`` with the reason.
    """
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key,
                list(algorithms),
                audience=audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "sub", "aud"], "strict_aud": True},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise OAuthRefused("invalid_client", f"{type(error).__name__}: {error}") from error
        if not claims["iss"] == claims["sub"] == client_id:
            raise OAuthRefused("invalid_client", "iss and sub have to be the client id")
        return claims
    raise OAuthRefused("invalid_client", "no key of the client verifies the signature")
