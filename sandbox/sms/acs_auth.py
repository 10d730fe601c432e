r"""Who may call ACS: requests signed with the resource's access key, or carrying an Entra token.

Signature: HMAC-SHA256 with the base64-decoded key over ``VERB\npath?query\nx-ms-date;host;x-ms-content-sha256``,
as the vendor's SDK makes it (azure-communication-sms 1.1.0, ``policy.py``).
"""

import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import jwt
from django.http import HttpRequest

from sandbox import keys, setup
from sandbox.sms import signatures

AUDIENCE = "https://communication.azure.com"
_SCHEME = re.compile(r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(?P<signature>\S+)")
_SKEW = timedelta(minutes=5)


def refusal(request: HttpRequest, *, now: datetime) -> str:
    """Return why the request is refused, or '' when its sender is proven."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return _token_refusal(header.removeprefix("Bearer "))
    match = _SCHEME.fullmatch(header)
    key = setup.current().get("acs", {}).get("access_key", "")
    if match is None or not key:
        return "The request is not authenticated."
    if not _is_recent(request.headers.get("x-ms-date", ""), now=now):
        return "The x-ms-date header is missing or more than five minutes off."
    if not hmac.compare_digest(request.headers.get("x-ms-content-sha256", ""), signatures.content_hash(request.body)):
        return "The x-ms-content-sha256 header does not fit the body."
    wanted = signatures.acs(
        key,
        method=request.method or "",
        path_and_query=path_and_query(request),
        date=request.headers["x-ms-date"],
        host=request.headers.get("Host", ""),
        digest=signatures.content_hash(request.body),
    )
    return "" if hmac.compare_digest(match["signature"], wanted) else "The signature does not match."


def path_and_query(request: HttpRequest) -> str:
    """Return the path and query exactly as they were sent: ``%2B`` in a number must stay as signed."""
    scope = getattr(request, "scope", None) or {}
    raw = scope.get("raw_path")
    if raw is None:
        return request.get_full_path()
    query = request.META.get("QUERY_STRING", "")
    path = raw.decode("ascii")
    return f"{path}?{query}" if query else path


def _token_refusal(token: str) -> str:
    try:
        keys.verify(token, audience=[AUDIENCE, f"{AUDIENCE}/"])
    except jwt.PyJWTError as error:
        return f"The access token is refused: {error}"
    return ""


def _is_recent(date: str, *, now: datetime) -> bool:
    try:
        sent_at = parsedate_to_datetime(date)
    except ValueError:
        return False
    sent_at = sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
    return abs(now - sent_at) <= _SKEW
