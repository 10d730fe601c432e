"""One call to Epic on our own behalf: authorized, repeated once with a new token, its refusal decoded.

Sources: Epic on FHIR, error codes of ``OperationOutcome`` (``details.coding`` under Epic's own system); HL7 FHIR
R4, OperationOutcome. Checked November 2026.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Any

import requests

from core.errors import UpstreamRejected
from core.http import raise_for_status, send
from epic.authorization import Authorization

_SYSTEM = "epic"
_CLIENT_ERRORS = range(400, 500)
_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
# What Epic's codes mean for whoever has to mend it; docs/troubleshooting.md explains ours.
_MEANINGS = {
    "4130": "epic.break_the_glass",
    "4131": "epic.break_the_glass",
    "59187": "epic.observation_not_mapped",
    "59188": "epic.observation_not_mapped",
    "59189": "epic.observation_not_mapped",
    "NO-CONFERENCE-FOUND": "epic.conference_unknown",
}
# Epic's texts may name people; only what looks like a code is kept.
_CODE = re.compile(r"[A-Z0-9][A-Za-z0-9_.-]{0,39}")


def call(
    session: requests.Session,
    method: str,
    url: str,
    *,
    authorization: Authorization,
    now: datetime,
    headers: dict[str, str] | None = None,
    **request: Any,
) -> requests.Response:
    """Make one call and return the answer that Epic accepted it with.

    :raises UpstreamRejected: ``epic.not_authorized``, ``epic.break_the_glass``, ``epic.conference_unknown``,
        ``epic.observation_not_mapped`` or ``epic.rejected``; ``detail`` is Epic's own code. Do not repeat.
    :raises UpstreamUnavailable: Epic is away or overloaded. :raises OutcomeUnknown: no answer came.
    :raises ConfigurationError: our client is not right.
    """
    response = None
    for is_last in (False, True):
        proof = authorization.headers(session, now=now)
        response = send(session, method, url, system=_SYSTEM, headers={**(headers or {}), **proof}, **request)
        if response.status_code != HTTPStatus.UNAUTHORIZED or is_last or not authorization.renew(proof):
            break
    assert response is not None  # noqa: S101 - the loop runs at least once
    _raise_refusal(response)
    raise_for_status(response, system=_SYSTEM)
    return response


def _raise_refusal(response: requests.Response) -> None:
    """Turn a refusal into our error, named by Epic's code where it gives one we know."""
    status = response.status_code
    if status not in _CLIENT_ERRORS or status == HTTPStatus.TOO_MANY_REQUESTS:
        return
    given = list(_codes(response))
    known = next((code for code in given if code in _MEANINGS), None)
    default = "epic.not_authorized" if status in _NOT_ALLOWED else "epic.rejected"
    code = _MEANINGS[known] if known else default
    raise UpstreamRejected(code, detail=known or next(iter(given), f"HTTP {status}"), status=status)


def _codes(response: requests.Response) -> Iterator[str]:
    """Yield the codes of an OperationOutcome, or of the answer of one of Epic's own services."""
    try:
        body = response.json()
    except ValueError:
        return
    if not isinstance(body, dict):
        return
    issues = body.get("issue")
    candidates: list[object] = [body.get("Message"), body.get("ExceptionMessage")]
    for issue in issues if isinstance(issues, list) else []:
        candidates += _codes_of_issue(issue)
    yield from (text for text in candidates if isinstance(text, str) and _CODE.fullmatch(text))


def _codes_of_issue(issue: object) -> list[object]:
    details = issue.get("details") if isinstance(issue, dict) else None
    codings = details.get("coding") if isinstance(details, dict) else None
    return [coding.get("code") for coding in codings or [] if isinstance(coding, dict)]
