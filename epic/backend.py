"""Access tokens of the backend app, which acts without a person.

Source: SMART Backend Services; Epic OAuth 2.0 specification, "Backend OAuth 2.0 guide": client
credentials with a signed assertion; Epic issues nothing until the site has mapped the client id to
an Epic user.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import requests

from epic.connection import EpicConnection
from epic.oauth import request_token, seconds

# A token is not used during its last minute: it must still hold when Epic reads it.
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    token: str = field(repr=False)
    until: datetime


class BackendTokens:
    """Tokens of this process, one per client at each token endpoint."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._fetching: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, session: requests.Session, connection: EpicConnection, *, now: datetime) -> str:
        """Return a valid access token, fetched when none is kept; of many who need one, only the first fetches.

        :raises ConfigurationError: ``epic.invalid_client``.
        :raises UpstreamRejected: when Epic refuses; :raises UpstreamUnavailable: when it is away.
        """
        key = _key(connection)
        with self._lock:
            fetching = self._fetching.setdefault(key, threading.Lock())
        with fetching:
            kept = self._kept.get(key)
            if kept and now < kept.until:
                return kept.token
            body = request_token(session, connection, {"grant_type": "client_credentials"}, now=now)
            token = str(body["access_token"])
            until = now + timedelta(seconds=seconds(body.get("expires_in"))) - MARGIN
            with self._lock:
                self._kept[key] = _Kept(token=token, until=until)
        return token

    def forget(self, connection: EpicConnection, *, token: str) -> None:
        """Stop using ``token``, which Epic refused; a newer one stays."""
        with self._lock:
            kept = self._kept.get(_key(connection))
            if kept and kept.token == token:
                del self._kept[_key(connection)]


tokens = BackendTokens()


def _key(connection: EpicConnection) -> tuple[str, str]:
    return connection.smart.token_endpoint, connection.client_id
