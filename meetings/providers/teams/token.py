"""Access tokens of the application itself: OAuth 2.0 client credentials at Microsoft Entra.

API: Entra identity platform v2.0, ``POST /{tenant}/oauth2/v2.0/token``.
Documentation: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and
…/certificate-credentials. Checked: 2026-11-24.
"""

import base64
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from core.errors import ConfigurationError
from core.http import json_object, raise_for_status, send
from epic.assertion import ASSERTION_TYPE, client_assertion
from epic.connection import ClientKey
from meetings.providers.teams.connection import ClientCertificate, TeamsConnection

SYSTEM = "entra"
_RENEW_BEFORE_SECONDS = 60
MOST_TOKENS = 1000
_BAD_REQUEST, _UNAUTHORIZED = 400, 401


@dataclass
class _Slot:
    """The token of one connection; the lock lets one thread fetch while the others wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = ""
    good_until: float = 0.0


# Tokens stay in this process's memory: they are never worth writing down.
_slots: dict[tuple[TeamsConnection, str], _Slot] = {}


def access_token(connection: TeamsConnection, session: requests.Session, *, scope: str = "") -> str:
    """Return a token for Graph, or for ``scope``, kept until a minute before it expires.

    :raises ConfigurationError: ``entra.credentials_refused`` or ``entra.credentials_missing``.
    :raises UpstreamUnavailable: Entra cannot be reached or is overloaded.
    """
    scope = scope or _graph_scope(connection)
    if len(_slots) > MOST_TOKENS:
        forget_all()  # certificates and secrets that were replaced leave theirs behind
    slot = _slots.setdefault((connection, scope), _Slot())
    with slot.lock:
        if time.monotonic() >= slot.good_until:
            slot.token, seconds = _fetch(connection, session, scope=scope)
            slot.good_until = time.monotonic() + seconds - _RENEW_BEFORE_SECONDS
        return slot.token


def forget(connection: TeamsConnection, token: str) -> None:
    """Drop ``token``, which Graph refused, so that the next call fetches another."""
    slot = _slots.get((connection, _graph_scope(connection)))
    if slot is not None and slot.token == token:
        slot.good_until = 0.0


def forget_all() -> None:
    """Drop every token of this process."""
    _slots.clear()


def _graph_scope(connection: TeamsConnection) -> str:
    return f"{connection.graph_base_url}/.default"


def _fetch(connection: TeamsConnection, session: requests.Session, *, scope: str) -> tuple[str, float]:
    url = f"{connection.entra_base_url}/{connection.tenant_id}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": connection.client_id,
        "scope": scope,
        **proof(connection, audience=url),
    }
    response = send(session, "POST", url, system=SYSTEM, data=form)
    if response.status_code in {_BAD_REQUEST, _UNAUTHORIZED}:
        raise ConfigurationError(
            "entra.credentials_refused",
            "Microsoft Entra does not accept the connector's certificate or secret. A Microsoft 365 administrator "
            "checks in the Entra admin center that the application exists and that its secret has not expired.",
            detail=_error_of(response),
        )
    raise_for_status(response, system=SYSTEM)
    body = json_object(response, system=SYSTEM)
    return str(body["access_token"]), float(body.get("expires_in", 0))


def proof(connection: TeamsConnection, *, audience: str) -> dict[str, str]:
    """Return the form fields that prove to Entra which application asks.

    :raises ConfigurationError: ``entra.credentials_missing``.
    """
    if connection.certificate is not None:
        signed = _assertion(connection.certificate, client_id=connection.client_id, audience=audience)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    if connection.client_secret:
        return {"client_secret": connection.client_secret}
    raise ConfigurationError("entra.credentials_missing", "The connector has no certificate or secret for Entra.")


def _assertion(certificate: ClientCertificate, *, client_id: str, audience: str) -> str:
    """Return an assertion that Entra checks with the certificate of this SHA-256 thumbprint."""
    loaded = x509.load_pem_x509_certificate(certificate.certificate.encode())
    thumbprint = base64.urlsafe_b64encode(loaded.fingerprint(hashes.SHA256())).decode().rstrip("=")
    key = ClientKey(key_id=thumbprint, algorithm="PS256", private_key=certificate.private_key)
    headers = {"x5t#S256": thumbprint}
    return client_assertion(key, client_id=client_id, audience=audience, now=datetime.now(UTC), headers=headers)


def _error_of(response: requests.Response) -> str:
    """Return the OAuth error word; the description would carry trace and correlation ids."""
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    return str(body.get("error", ""))[:60] if isinstance(body, dict) else ""
