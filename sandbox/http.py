"""Small things that every twin answers with."""

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, JsonResponse


class BadRequest(Exception):
    """A request that cannot be understood; becomes 400 with the reason."""


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body is an empty object.

    :raises BadRequest: when it is anything else.
    """
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("the body is no JSON object")
    return body


def oauth_answer(body: dict[str, Any], *, status: int = 200) -> JsonResponse:
    """Return a token endpoint's answer, which nobody may keep (RFC 6749, section 5.1)."""
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def with_query(address: str, answer: dict[str, str]) -> str:
    """Return ``address`` with more of a query; its own stays."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(answer)}"
