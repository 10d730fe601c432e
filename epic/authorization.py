"""How a call to Epic without a person proves who makes it: backend OAuth 2.0, or the older Basic form.

Sources: SMART Backend Services; Epic OAuth 2.0 specification, "Non-OAuth 2.0 authentication": the user name of a
background user carries the prefix ``emp$``, and ``Epic-Client-ID`` names the client, mandatory since February 2019.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import requests

from epic.backend import BackendTokens, tokens
from epic.connection import EpicConnection

_PREFIX = "emp$"

Headers = dict[str, str]


class Authorization(Protocol):
    """What a call needs to be let in."""

    def headers(self, session: requests.Session, *, now: datetime) -> Headers:
        """Return the headers of one call."""

    def renew(self, refused: Headers) -> bool:
        """Take note that Epic refused these headers; True when other ones are worth a try."""


@dataclass(frozen=True, kw_only=True)
class BackendAuthorization:
    """An access token of the backend app, fetched when none is kept and replaced when Epic refuses it."""

    connection: EpicConnection
    tokens: BackendTokens = field(default=tokens, repr=False)

    def headers(self, session: requests.Session, *, now: datetime) -> Headers:
        """Return the token and the client.

        :raises ConfigurationError: ``epic.invalid_client``.
        :raises UpstreamRejected: when Epic gives no token; :raises UpstreamUnavailable: when it is away.
        """
        token = self.tokens.get(session, self.connection, now=now)
        return {"Authorization": f"Bearer {token}", "Epic-Client-ID": self.connection.client_id}

    def renew(self, refused: Headers) -> bool:
        """Forget the refused token, so that the next call fetches another."""
        self.tokens.forget(self.connection, token=refused["Authorization"].partition(" ")[2])
        return True


@dataclass(frozen=True, kw_only=True)
class BasicAuthorization:
    """User name and password of a background user in Epic.

    :param username: without the prefix ``emp$``.
    """

    client_id: str
    username: str = field(repr=False)
    password: str = field(repr=False)

    def headers(self, session: requests.Session, *, now: datetime) -> Headers:
        """Return the credentials and the client."""
        username = self.username.removeprefix(_PREFIX)
        credentials = base64.b64encode(f"{_PREFIX}{username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}", "Epic-Client-ID": self.client_id}

    def renew(self, refused: Headers) -> bool:
        """Say that there is nothing else to try."""
        return False
