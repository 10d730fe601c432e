"""One call to Microsoft Graph: token, errors, nothing else.

Documentation: learn.microsoft.com/graph/errors and …/graph/throttling. Checked: 2026-11-24.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from core.errors import ConfigurationError, UpstreamUnavailable
from core.http import raise_for_status, send
from meetings.providers.teams import throttle, token
from meetings.providers.teams.connection import TeamsConnection

SYSTEM = "graph"
# Makes Graph accept and return enum members that are newer than v1.0's first release.
PREFER_NEW_MEMBERS = {"Prefer": "include-unknown-enum-members"}
POLICY_NAME = "EHR-Connector-Virtual-Visits"
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_NO_POLICY = re.compile(r"application access policy|is not authorized to .* on behalf of", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class GraphCall:
    """A request to Graph. ``organizer`` and ``permission`` are what an error page has to name."""

    method: str
    path: str
    json: dict[str, Any] | None = None
    headers: dict[str, str] | None = None
    organizer: str = ""
    permission: str = "OnlineMeetings.ReadWrite.All"


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path."""
    return quote(text, safe="")


def call(connection: TeamsConnection, session: requests.Session, request: GraphCall) -> requests.Response:
    """Make the call and return an answer that is not an error; a stale token is replaced once.

    Nothing is sent while Graph has asked to be left alone.

    :raises ConfigurationError: ``graph.access_policy_missing``, ``graph.permission_missing``,
        ``graph.token_refused`` or an ``entra.`` code.
    :raises UpstreamUnavailable: ``graph.throttled`` (with ``retry_after``), ``graph.failing``, ``graph.unreachable``.
    :raises UpstreamRejected: ``graph.rejected`` with the status.
    :raises OutcomeUnknown: ``graph.no_answer``.
    """
    throttle.check(connection)
    response = _send(connection, session, request)
    if response.status_code == _UNAUTHORIZED and not _is_policy_error(response):
        response = _send(connection, session, request)
    _raise_for_setup(response, connection, request)
    try:
        raise_for_status(response, system=SYSTEM, detail=f"HTTP {response.status_code} {_code_of(response)}")
    except UpstreamUnavailable as error:
        throttle.note(connection, error.retry_after)
        raise
    return response


def _send(connection: TeamsConnection, session: requests.Session, request: GraphCall) -> requests.Response:
    bearer = token.access_token(connection, session)
    response = send(
        session,
        request.method,
        f"{connection.graph_base_url}{request.path}",
        system=SYSTEM,
        json=request.json,
        headers={"Authorization": f"Bearer {bearer}", **(request.headers or {})},
    )
    if response.status_code == _UNAUTHORIZED:
        token.forget(connection, bearer)
    return response


def _raise_for_setup(response: requests.Response, connection: TeamsConnection, request: GraphCall) -> None:
    """Raise when a person must change something in Entra or Teams."""
    if response.status_code not in {_UNAUTHORIZED, _FORBIDDEN}:
        return
    if _is_policy_error(response):
        raise ConfigurationError("graph.access_policy_missing", _policy_steps(connection, request.organizer))
    if response.status_code == _FORBIDDEN:
        raise ConfigurationError(
            "graph.permission_missing",
            f"Microsoft Graph refused the connector. A Microsoft 365 administrator grants the application permission "
            f"{request.permission} to application {connection.client_id} and gives admin consent.",
            detail=_code_of(response),
        )
    raise ConfigurationError(
        "graph.token_refused", "Microsoft Graph does not accept the connector's token.", detail=_code_of(response)
    )


def _policy_steps(connection: TeamsConnection, organizer: str) -> str:
    return (
        "Teams does not let the connector organize meetings for this account yet. A Teams administrator runs these "
        "two commands in Teams PowerShell; they can take 30 minutes to work:\n"
        f'New-CsApplicationAccessPolicy -Identity {POLICY_NAME} -AppIds "{connection.client_id}"\n'
        f'Grant-CsApplicationAccessPolicy -PolicyName {POLICY_NAME} -Identity "{organizer}"'
    )


def _is_policy_error(response: requests.Response) -> bool:
    return bool(_NO_POLICY.search(str(_error_of(response).get("message", ""))))


def _code_of(response: requests.Response) -> str:
    """Return Graph's error code; its message may name users and stays out of logs."""
    return str(_error_of(response).get("code", ""))[:60]


def _error_of(response: requests.Response) -> dict[str, Any]:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
