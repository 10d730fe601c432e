"""A clinician signs in with Microsoft once, so that we know which account is theirs; of the tokens nothing is kept.

API: Entra identity platform v2.0, authorization code flow with PKCE (``GET …/authorize``, ``POST …/token``).
Documentation: learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and …/id-token-claims-reference:
``oid`` and ``tid`` together are the account. Checked: 2026-11-29.
"""

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import requests

from core.errors import LaunchRefused
from core.http import json_object, raise_for_status, send
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.token import SYSTEM, proof

SCOPE = "openid profile"  # without profile, Entra leaves oid out
_LEEWAY = timedelta(minutes=5)
_BAD_REQUEST = 400
_MESSAGE = "Microsoft's answer about your account could not be used."


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One sign-in: what must be the same when the browser comes back. All but the address are secrets of it."""

    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


def address(connection: TeamsConnection, sign_in: SignIn) -> str:
    """Return where the browser must go."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(sign_in.verifier.encode()).digest()).decode().rstrip("=")
    fields = {
        "client_id": connection.client_id,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": sign_in.redirect_uri,
        "scope": SCOPE,
        "state": sign_in.state,
        "nonce": sign_in.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{_tenant(connection)}/oauth2/v2.0/authorize?{urlencode(fields)}"


def account(
    connection: TeamsConnection, session: requests.Session, sign_in: SignIn, *, code: str, now: datetime
) -> uuid.UUID:
    """Trade ``code`` for the object id of the account that signed in.

    :raises LaunchRefused: ``account.refused``: the code is spent, or the account is not of this tenant.
    :raises UpstreamUnavailable: Entra does not answer. :raises UpstreamRejected: it refuses our application.
    """
    url = f"{_tenant(connection)}/oauth2/v2.0/token"
    form = {
        "grant_type": "authorization_code",
        "client_id": connection.client_id,
        "code": code,
        "redirect_uri": sign_in.redirect_uri,
        "code_verifier": sign_in.verifier,
        "scope": SCOPE,
        **proof(connection, audience=url),
    }
    response = send(session, "POST", url, system=SYSTEM, data=form)
    if response.status_code == _BAD_REQUEST:
        raise LaunchRefused("account.refused", _MESSAGE)
    raise_for_status(response, system=SYSTEM)
    claims = _claims(str(json_object(response, system=SYSTEM).get("id_token", "")))
    return _object_id(claims, connection, sign_in, now=now)


def _claims(id_token: str) -> dict[str, Any]:
    """Read a token that Entra itself gave us over TLS: OpenID Connect Core 1.0, section 3.1.3.7, step 6."""
    try:
        claims: dict[str, Any] = jwt.decode(id_token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise LaunchRefused("account.refused", _MESSAGE, detail=type(error).__name__) from error
    return claims


def _object_id(claims: dict[str, Any], connection: TeamsConnection, sign_in: SignIn, *, now: datetime) -> uuid.UUID:
    wanted = {"iss": f"{_tenant(connection)}/v2.0", "aud": connection.client_id, "tid": connection.tenant_id}
    wrong = [name for name, value in wanted.items() if claims.get(name) != value]
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), sign_in.nonce.encode()):
        wrong.append("nonce")
    try:
        if float(claims["exp"]) + _LEEWAY.total_seconds() < now.timestamp():
            wrong.append("exp")
        object_id = uuid.UUID(str(claims["oid"]))
    except (KeyError, TypeError, ValueError) as error:
        raise LaunchRefused("account.refused", _MESSAGE, detail="oid or exp") from error
    if wrong:
        raise LaunchRefused("account.refused", _MESSAGE, detail=", ".join(wrong))
    return object_id


def _tenant(connection: TeamsConnection) -> str:
    return f"{connection.entra_base_url}/{connection.tenant_id}"
