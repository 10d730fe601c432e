"""Who launched us: verify Epic's id_token and read the person's role from it.

Source: OpenID Connect Core 1.0 section 3.1.3.7; Epic OAuth 2.0 specification, "id_token": RS256,
``sub`` and ``fhirUser`` name a Practitioner, a Patient (MyChart) or a RelatedPerson (MyChart proxy),
``iss`` is ``…/oauth2`` since May 2020 and was ``…/oauth2/token`` before.
"""

import hmac
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn

import jwt
import requests
from jwt.types import Options

from core.errors import LaunchRefused
from core.http import json_object, raise_for_status, send
from epic.connection import EpicConnection, SmartEndpoints

ALGORITHM = "RS256"
LEEWAY_SECONDS = 60
KEYS_KEPT_SECONDS = 3600

_SYSTEM = "epic"
# The times are checked against our caller's clock, and the issuer in its two forms.
_OPTIONS: Options = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_iss": False,
    "require": ["exp", "iss", "sub", "aud"],
}
_MESSAGE = "Epic's answer about who you are could not be verified. Open the visit again from Epic."


class IdentityKind(StrEnum):
    """What a person is to Epic; the values are FHIR resource types."""

    PRACTITIONER = "Practitioner"
    PATIENT = "Patient"
    RELATED_PERSON = "RelatedPerson"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person as Epic vouches for them.

    :param id: FHIR id of the resource of type ``kind``.
    :param issuer: who vouches; with ``subject`` it identifies the person across apps.
    :param username: ``preferred_username``; shown and compared by people, never an identity.
    """

    kind: IdentityKind
    id: str = field(repr=False)
    issuer: str
    subject: str = field(repr=False)
    username: str = field(default="", repr=False)


class KeySets:
    """Public keys of identity providers, kept for an hour and fetched again for an unknown key id."""

    def __init__(self, *, kept_seconds: float = KEYS_KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._kept: dict[str, tuple[float, dict[str, jwt.PyJWK]]] = {}
        self._lock = threading.Lock()

    def find(self, session: requests.Session, jwks_uri: str, key_id: str) -> jwt.PyJWK | None:
        """Return the key called ``key_id``, or None when a fresh key set has none of that name."""
        with self._lock:
            fetched_at, keys = self._kept.get(jwks_uri, (float("-inf"), {}))
        if key_id in keys and time.monotonic() - fetched_at < self._kept_seconds:
            return keys[key_id]
        keys = _fetch_keys(session, jwks_uri)
        with self._lock:
            self._kept[jwks_uri] = (time.monotonic(), keys)
        return keys.get(key_id)


_key_sets = KeySets()


def verify_id_token(
    session: requests.Session,
    connection: EpicConnection,
    id_token: str,
    *,
    nonce: str,
    now: datetime,
    key_sets: KeySets = _key_sets,
) -> Identity:
    """Return whom ``id_token`` names, once every claim of it holds.

    :param nonce: what the authorization request sent.
    :raises LaunchRefused: ``id_token.<reason>``: malformed, algorithm, unknown_key, signature, audience,
        issuer, expired, nonce or role.
    :raises UpstreamUnavailable: when the keys cannot be fetched.
    """
    key = key_sets.find(session, connection.smart.jwks_uri, _key_id(id_token))
    if key is None:
        _refuse("unknown_key")
    claims = _decode(id_token, key=key, client_id=connection.client_id)
    _check_party(claims, client_id=connection.client_id)
    _check_issuer(claims, connection.smart)
    _check_times(claims, now=now)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        _refuse("nonce")
    kind, fhir_id = _role(claims)
    return Identity(
        kind=kind,
        id=fhir_id,
        issuer=_base_issuer(str(claims["iss"])),
        subject=str(claims["sub"]),
        username=str(claims.get("preferred_username") or ""),
    )


def _key_id(id_token: str) -> str:
    """Return the key id of the header. ``jku``, ``x5u``, ``x5c`` and ``jwk`` are not even looked at."""
    try:
        header = jwt.get_unverified_header(id_token)
    except jwt.PyJWTError as error:
        _refuse("malformed", error)
    if header.get("alg") != ALGORITHM:
        _refuse("algorithm")
    return str(header.get("kid") or "")


def _decode(id_token: str, *, key: jwt.PyJWK, client_id: str) -> dict[str, Any]:
    try:
        return jwt.decode(id_token, key=key.key, algorithms=[ALGORITHM], audience=client_id, options=_OPTIONS)
    except jwt.InvalidSignatureError as error:
        _refuse("signature", error)
    except jwt.InvalidAudienceError as error:
        _refuse("audience", error)
    except jwt.PyJWTError as error:
        _refuse("malformed", error)


def _check_party(claims: dict[str, Any], *, client_id: str) -> None:
    """Refuse a token that was issued to another party (OpenID Connect Core 3.1.3.7, steps 4 and 5)."""
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_shared else client_id) != client_id:
        _refuse("audience")


def _check_issuer(claims: dict[str, Any], smart: SmartEndpoints) -> None:
    if _base_issuer(str(claims["iss"])) != _base_issuer(smart.issuer):
        _refuse("issuer")


def _base_issuer(issuer: str) -> str:
    return issuer.removesuffix("/").removesuffix("/token")


def _check_times(claims: dict[str, Any], *, now: datetime) -> None:
    at = now.timestamp()
    try:
        expires = float(claims["exp"])
        begins = max(float(claims.get("nbf", 0)), float(claims.get("iat", 0)))
    except (TypeError, ValueError) as error:
        _refuse("malformed", error)
    if at > expires + LEEWAY_SECONDS or at < begins - LEEWAY_SECONDS:
        _refuse("expired")


def _role(claims: dict[str, Any]) -> tuple[IdentityKind, str]:
    """Read kind and FHIR id from ``fhirUser`` (R4 apps), else from a ``sub`` that is a reference."""
    for claim in ("fhirUser", "sub"):
        kind, _, fhir_id = "/".join(str(claims.get(claim) or "").split("/")[-2:]).partition("/")
        if kind in set(IdentityKind) and fhir_id:
            return IdentityKind(kind), fhir_id
    return _refuse("role")


def _fetch_keys(session: requests.Session, jwks_uri: str) -> dict[str, jwt.PyJWK]:
    response = send(session, "GET", jwks_uri, system=_SYSTEM, headers={"Accept": "application/json"})
    raise_for_status(response, system=_SYSTEM, detail="key set")
    keys: dict[str, jwt.PyJWK] = {}
    entries = json_object(response, system=_SYSTEM).get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not (isinstance(entry, dict) and _may_sign(entry)):
            continue
        try:
            keys[str(entry.get("kid") or "")] = jwt.PyJWK(entry, algorithm=ALGORITHM)
        except (jwt.PyJWTError, ValueError, TypeError):  # one unusable key must not hide the others
            continue
    return keys


def _may_sign(entry: dict[str, Any]) -> bool:
    is_right_use = entry.get("use", "sig") == "sig" and entry.get("alg", ALGORITHM) == ALGORITHM
    return entry.get("kty") == "RSA" and is_right_use


def _refuse(reason: str, error: Exception | None = None) -> NoReturn:
    raise LaunchRefused(f"id_token.{reason}", _MESSAGE) from error
