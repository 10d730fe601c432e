"""Check the validation tokens of a notification: that Graph sent it, and to us.

Documentation: learn.microsoft.com/graph/change-notifications-with-resource-data, "Validating the authenticity
of notifications". Checked: 2026-11-24.
"""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
import requests
from jwt.types import Options

from core.errors import InvalidMessage
from core.http import json_object, raise_for_status, send

SYSTEM = "entra"
_LEEWAY = timedelta(minutes=5)
_KEYS_SECONDS = 24 * 60 * 60
# An unknown key id may mean new keys, or a forger; ask again, but not for each forged token.
_ASK_AGAIN_SECONDS = 60
# Audience and times are judged below, against our own subscriptions and the time of receipt.
_OPTIONS: Options = {
    "verify_aud": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp"],
}


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """Whom a notification must be meant for: one of our applications in one tenant."""

    tenant_id: str
    client_id: str


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who signs validation tokens.

    :param entra_base_url: whose ``common`` tenant publishes the keys.
    :param sts_issuer: ``iss`` is this, the tenant id and a slash around it.
    :param notifier_app_id: ``appid`` of Graph's change tracking.
    """

    entra_base_url: str
    sts_issuer: str
    notifier_app_id: str


def verify_token(
    token: str, *, issuer: Issuer, addressees: Collection[Addressee], session: requests.Session, received_at: datetime
) -> Addressee:
    """Return whom a validation token is for.

    Expiry is judged at ``received_at``: a stored notification may be looked at later.

    :raises InvalidMessage: ``notification.token_`` and what is wrong: ``signature``, ``audience``, ``issuer``,
        ``application`` or ``expired``.
    :raises UpstreamUnavailable: the keys cannot be had now.
    """
    claims = _signed_claims(token, issuer=issuer, session=session)
    if claims.get("aud") not in {addressee.client_id for addressee in addressees}:
        raise InvalidMessage("notification.token_audience")
    by_issuer = {f"{issuer.sts_issuer}/{addressee.tenant_id}/": addressee for addressee in addressees}
    addressee = by_issuer.get(str(claims.get("iss")))
    if addressee is None or addressee.client_id != claims["aud"]:
        raise InvalidMessage("notification.token_issuer")
    if claims.get("appid") != issuer.notifier_app_id:
        raise InvalidMessage("notification.token_application")
    _check_times(claims, received_at=received_at)
    return addressee


def _signed_claims(token: str, *, issuer: Issuer, session: requests.Session) -> dict[str, Any]:
    """Return the claims of a token that Entra signed with RS256; its own key hints but ``kid`` are ignored."""
    try:
        key_id = str(jwt.get_unverified_header(token).get("kid", ""))
        key = _key(key_id, entra_base_url=issuer.entra_base_url, session=session)
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], options=_OPTIONS)
    except (jwt.PyJWTError, TypeError) as error:
        raise InvalidMessage("notification.token_signature", detail=type(error).__name__) from error
    return claims


def _check_times(claims: dict[str, Any], *, received_at: datetime) -> None:
    received = received_at.timestamp()
    try:
        is_current = float(claims.get("nbf", 0)) - _LEEWAY.total_seconds() <= received
        is_current = is_current and received <= float(claims["exp"]) + _LEEWAY.total_seconds()
    except (TypeError, ValueError):
        is_current = False
    if not is_current:
        raise InvalidMessage("notification.token_expired")


@dataclass
class _KeySet:
    """Published keys by id and when they were fetched (monotonic seconds)."""

    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    fetched_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may_ask(self, key_id: str) -> bool:
        """Whether to fetch: never done, a day old, or an unknown key and a minute has passed."""
        if self.fetched_at is None:
            return True
        age = time.monotonic() - self.fetched_at
        return age > (_ASK_AGAIN_SECONDS if key_id not in self.keys else _KEYS_SECONDS)


_key_sets: dict[str, _KeySet] = {}


def forget_keys() -> None:
    """Drop every published key this process has fetched."""
    _key_sets.clear()


def _key(key_id: str, *, entra_base_url: str, session: requests.Session) -> jwt.PyJWK:
    key_set = _key_sets.setdefault(entra_base_url, _KeySet())
    with key_set.lock:
        if key_set.may_ask(key_id):
            key_set.keys = _fetch(entra_base_url, session)
            key_set.fetched_at = time.monotonic()
        found = key_set.keys.get(key_id)
    if found is None:
        raise InvalidMessage("notification.token_signature", detail="unknown key id")
    return found


def _fetch(entra_base_url: str, session: requests.Session) -> dict[str, jwt.PyJWK]:
    metadata = _get(f"{entra_base_url}/common/.well-known/openid-configuration", session)
    published = _get(str(metadata.get("jwks_uri", "")), session).get("keys")
    keys: dict[str, jwt.PyJWK] = {}
    for key in published if isinstance(published, list) else []:
        if isinstance(key, dict) and key.get("kty") == "RSA" and key.get("kid"):
            try:
                keys[str(key["kid"])] = jwt.PyJWK(key, algorithm="RS256")
            except (jwt.PyJWTError, ValueError, TypeError):  # one unusable key must not hide the others
                continue
    return keys


def _get(url: str, session: requests.Session) -> dict[str, Any]:
    response = send(session, "GET", url, system=SYSTEM)
    raise_for_status(response, system=SYSTEM)
    return json_object(response, system=SYSTEM)
