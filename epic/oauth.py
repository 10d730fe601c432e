"""Launches: send a browser to Epic's OAuth 2.0 server, and trade the code it brings back.

Source: SMART App Launch 2.2, "EHR launch" and "Standalone launch"; Epic OAuth 2.0 specification.
Epic's launch tokens and codes may be long JWTs: nothing here limits or decodes them.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

import requests

from core.errors import ConfigurationError, UpstreamRejected
from core.http import json_object, raise_for_status, send
from epic.assertion import assertion_fields
from epic.connection import EpicApp, EpicConnection

SIGN_IN_SCOPE = "openid fhirUser profile"
LAUNCH_SCOPE = f"launch {SIGN_IN_SCOPE}"

_SYSTEM = "epic"
_RANDOM_BYTES = 32
_CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """Where to send the browser, and what must be remembered until it comes back.

    ``url`` and ``fields`` make an auto-posted form; :attr:`address` is the same as one link. ``method`` says
    which of the two this Epic wants. ``state``, ``nonce`` and ``code_verifier`` are secrets of this launch.
    """

    url: str
    fields: Mapping[str, str] = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    method: Literal["POST", "GET"] = "POST"

    @property
    def address(self) -> str:
        """The whole request as a link, for a redirect; too long for some EHR launches."""
        separator = "&" if "?" in self.url else "?"
        return f"{self.url}{separator}{urlencode(self.fields)}"


class ContextFields(Mapping[str, str]):
    """Top-level fields of a token response whose names are compared without regard to case.

    Integration records are typed by hand: ``sessionId``, ``SESSIONID`` and ``sessionid`` all occur.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = MappingProxyType({name.casefold(): value for name, value in fields.items()})

    def __getitem__(self, name: str) -> str:
        """Return the value of the field called ``name`` in whatever case."""
        return self._fields[name.casefold()]

    def __iter__(self) -> Iterator[str]:
        """Go through the names in lower case."""
        return iter(self._fields)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self._fields)

    def __repr__(self) -> str:
        """Name the fields; their values identify people."""
        return f"ContextFields({sorted(self._fields)})"


@dataclass(frozen=True, kw_only=True)
class TokenResponse:
    """What Epic gives for a code: tokens, and the context of the launch.

    :param expires_in: life of the access token in seconds.
    :param patient: FHIR id of the patient in context, '' without one.
    :param context: every other top-level field whose value is text or a number.
    """

    access_token: str = field(repr=False)
    id_token: str = field(default="", repr=False)
    expires_in: int = 0
    scope: str = ""
    patient: str = field(default="", repr=False)
    context: ContextFields = field(default_factory=lambda: ContextFields({}))


def ehr_launch_request(
    app: EpicApp, *, launch: str, redirect_uri: str, method: Literal["POST", "GET"] = "POST"
) -> AuthorizationRequest:
    """Return the authorization request of a launch that Epic began.

    :param launch: the one-time launch token, as Epic sent it.
    """
    return _request(app, redirect_uri=redirect_uri, scope=LAUNCH_SCOPE, method=method, launch=launch)


def standalone_request(app: EpicApp, *, redirect_uri: str) -> AuthorizationRequest:
    """Return the authorization request of a sign-in that we began, such as an Epic analyst's.

    Epic supports it by link only, not by form.
    """
    return _request(app, redirect_uri=redirect_uri, scope=SIGN_IN_SCOPE, method="GET")


def exchange_code(
    session: requests.Session,
    connection: EpicConnection,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    now: datetime,
) -> TokenResponse:
    """Trade an authorization code for tokens and the launch context; a code can be traded once.

    :param redirect_uri: the same as in the authorization request.
    :raises ConfigurationError: ``epic.invalid_client``: Epic does not know our client id or key (yet).
    :raises UpstreamRejected: ``epic.invalid_grant`` for a spent, expired or foreign code;
        ``epic.token_refused`` otherwise.
    :raises UpstreamUnavailable: when Epic does not answer or is overloaded.
    :raises OutcomeUnknown: when no answer came; the code may be spent.
    """
    body = request_token(
        session,
        connection,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
            "client_id": connection.client_id,
        },
        now=now,
    )
    return token_response(body)


def request_token(
    session: requests.Session, connection: EpicConnection, fields: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    """Call the token endpoint with ``fields`` and a fresh assertion; return its answer.

    :raises ConfigurationError: ``epic.invalid_client`` or ``keys.unusable``.
    :raises UpstreamRejected: ``epic.invalid_grant``, ``epic.token_refused`` or ``epic.not_a_token``.
    """
    endpoint = connection.smart.token_endpoint
    proof = assertion_fields(connection.key, client_id=connection.client_id, audience=endpoint, now=now)
    response = send(
        session,
        "POST",
        endpoint,
        system=_SYSTEM,
        data={**fields, **proof},
        headers={"Accept": "application/json"},
    )
    if response.status_code in _CLIENT_ERRORS:
        _raise_token_error(response)
    raise_for_status(response, system=_SYSTEM, detail="token endpoint")
    body = json_object(response, system=_SYSTEM)
    is_bearer = str(body.get("token_type", "bearer")).casefold() == "bearer"
    if not (isinstance(body.get("access_token"), str) and body["access_token"] and is_bearer):
        raise UpstreamRejected("epic.not_a_token", status=response.status_code)
    return body


def token_response(body: Mapping[str, Any]) -> TokenResponse:
    """Return the token endpoint's answer in our terms."""
    known = {"access_token", "token_type", "id_token", "refresh_token", "expires_in", "scope", "patient"}
    context = {
        name: str(value)
        for name, value in body.items()
        if name.casefold() not in known and isinstance(value, (str, int)) and not isinstance(value, bool)
    }
    return TokenResponse(
        access_token=str(body["access_token"]),
        id_token=str(body.get("id_token") or ""),
        expires_in=seconds(body.get("expires_in")),
        scope=str(body.get("scope") or ""),
        patient=str(body.get("patient") or ""),
        context=ContextFields(context),
    )


def seconds(value: object) -> int:
    """Return ``expires_in`` as whole seconds; some servers send it as text, some not at all."""
    try:
        return max(int(value), 0) if isinstance(value, (int, float, str)) else 0
    except ValueError:
        return 0


def _request(
    app: EpicApp, *, redirect_uri: str, scope: str, method: Literal["POST", "GET"], **extra: str
) -> AuthorizationRequest:
    state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    fields = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "nonce": nonce,
        "aud": app.fhir_base_url,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
        **extra,
    }
    return AuthorizationRequest(
        url=app.smart.authorization_endpoint,
        fields=MappingProxyType(fields),
        state=state,
        nonce=nonce,
        code_verifier=verifier,
        method=method,
    )


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of ``verifier`` (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _raise_token_error(response: requests.Response) -> None:
    """Turn an error of RFC 6749 section 5.2 into ours; 408, 425 and 429 are left to the caller."""
    try:
        error = str(response.json().get("error", ""))
    except (ValueError, AttributeError):
        error = ""
    if error == "invalid_client":
        raise ConfigurationError(
            "epic.invalid_client",
            "Epic does not accept this connector's client id or key. New keys take up to a day to reach Epic.",
        )
    if error == "invalid_grant":
        raise UpstreamRejected(
            "epic.invalid_grant",
            "This launch was already used. Open the visit again from Epic.",
            status=response.status_code,
        )
    if error:
        raise UpstreamRejected("epic.token_refused", detail=error[:60], status=response.status_code)
