"""Who may call on an app's own behalf: a backend app with its token, or a background user (``emp$``)."""

import base64
from typing import Any

import jwt
from django.http import HttpRequest

from sandbox import faults, keys, setup
from sandbox.epic import addresses


def is_authorized(request: HttpRequest, *, environment: str) -> bool:
    """Return whether the call carries a token of a backend app, or a background user and the client's name."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _is_token(value, environment=environment)
    return scheme.lower() == "basic" and _is_user(value) and bool(request.headers.get("Epic-Client-ID"))


def _is_token(value: str, *, environment: str) -> bool:
    try:
        claims = keys.verify(value, addresses.interconnect(environment), name=keys.EPIC)
    except jwt.PyJWTError:
        return False
    client = setup.client(environment, str(claims.get("client_id", "")))
    return client is not None and client["app"] == "backend" and not _is_forgotten(claims)


def _is_forgotten(claims: dict[str, Any]) -> bool:
    """With this fault, tokens issued before it was switched on are refused; a new one is taken."""
    since = faults.since("epic.connection_status", "unauthorized")
    return since is not None and float(claims["iat"]) < since.timestamp()


def _is_user(value: str) -> bool:
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return False
    return user.startswith("emp$") and bool(password)
