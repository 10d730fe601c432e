"""The one HTTP client: time limits, guard at the socket, bounded bodies, logs without content."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError

from core.context import request_id
from core.errors import OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from core.outbound import OutboundPolicy, connection_classes

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
WHOLE_SECONDS = 30.0
IDLE_SECONDS = 4.0  # shorter than any server keeps a connection: a call must not meet one that is just being closed
SHARED_CONNECTIONS = 50
MOST_BYTES = 1_048_576
_CHUNK = 65_536
_CLIENT_ERROR, _SERVER_ERROR, _TOO_MANY = 400, 500, 429

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HttpCall:
    """A call that is ready to be made, here or by :mod:`core.http_async`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def policy_from_settings() -> OutboundPolicy:
    """Return what the operator allows, from ``OUTBOUND_ALLOWED_NETWORKS`` and ``OUTBOUND_ALLOW_HTTP``."""
    return OutboundPolicy.parse(settings.OUTBOUND_ALLOWED_NETWORKS, allow_http=settings.OUTBOUND_ALLOW_HTTP)


def build_session(policy: OutboundPolicy | None = None, *, connections: int = 20) -> requests.Session:
    """Return a session that every outgoing call of the connector uses.

    It follows no redirects, reads no proxy variables, limits connect, read and whole time and the
    size of a body, and refuses addresses that ``policy`` does not allow.

    :param connections: how many to keep open to one host, for threads that share the session.
    """
    adapter = _GuardedAdapter(policy or policy_from_settings(), connections=connections)
    return _prepared(requests.Session(), adapter)


def shared_session() -> requests.Session:
    """Return a session under the same rules on the connections that this process keeps open between calls.

    Each caller has its own, since sessions are not made for several threads; their connections are. Web requests
    need it most: each runs in a thread of its own, and would begin with a TLS handshake.
    """
    return _prepared(_SharedSession(), _shared_adapter(policy_from_settings()))


def close_shared() -> None:
    """Close the connections that this process keeps open."""
    _shared_adapter(policy_from_settings()).close()


def send(session: requests.Session, method: str, url: str, *, system: str, **request: Any) -> requests.Response:
    """Make one call and return the answer, whatever its status.

    :param system: short name of the peer, the first word of the error code, such as ``graph``.
    :raises UpstreamUnavailable: ``<system>.unreachable``; nothing was sent.
    :raises OutcomeUnknown: ``<system>.no_answer``; it was sent and no complete answer came.
        ``<system>.too_large`` and ``<system>.too_slow`` when the answer passed our limits.
    :raises ConfigurationError: the address is refused by the guard.
    """
    started = time.monotonic()
    request.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
    headers = {"X-Request-ID": request_id(), **(request.pop("headers", None) or {})}
    try:
        response = session.request(method, url, headers=headers, allow_redirects=False, **request)
    except requests.exceptions.ConnectionError as error:
        _log(system, method, "unreachable", started)
        if _was_sent(error):
            raise OutcomeUnknown(f"{system}.no_answer", detail=type(error).__name__) from error
        raise UpstreamUnavailable(f"{system}.unreachable", detail=type(error).__name__) from error
    except (_BodyTooLarge, _BodyTooSlow) as error:
        _log(system, method, type(error).__name__, started)
        code = "too_large" if isinstance(error, _BodyTooLarge) else "too_slow"
        raise OutcomeUnknown(f"{system}.{code}", detail=str(error)) from error
    except requests.RequestException as error:
        _log(system, method, type(error).__name__, started)
        raise OutcomeUnknown(f"{system}.no_answer", detail=type(error).__name__) from error
    _log(system, method, response.status_code, started)
    return response


def call(session: requests.Session, wanted: HttpCall, *, system: str) -> requests.Response:
    """Make a prepared call; see :func:`send` for what it raises."""
    return send(
        session, wanted.method, wanted.url, system=system, data=wanted.body or None, headers=dict(wanted.headers)
    )


def raise_for_status(response: requests.Response, *, system: str, detail: str = "") -> None:
    """Turn a refusal into our error: 429 and 5xx may be tried again, other 4xx not.

    :raises UpstreamUnavailable: ``<system>.throttled`` or ``<system>.failing``.
    :raises UpstreamRejected: ``<system>.rejected`` with the status.
    """
    status = response.status_code
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        code = "throttled" if status == _TOO_MANY else "failing"
        raise UpstreamUnavailable(
            f"{system}.{code}", detail=detail or f"HTTP {status}", retry_after=_retry_after(response)
        )
    if status >= _CLIENT_ERROR:
        raise UpstreamRejected(f"{system}.rejected", detail=detail or f"HTTP {status}", status=status)


def json_object(response: requests.Response, *, system: str) -> dict[str, Any]:
    """Return the body as a JSON object.

    :raises UpstreamRejected: ``<system>.not_json`` when it is anything else.
    """
    try:
        body = response.json()
    except ValueError as error:
        raise UpstreamRejected(f"{system}.not_json", status=response.status_code) from error
    if not isinstance(body, dict):
        raise UpstreamRejected(f"{system}.not_json", status=response.status_code)
    return body


def _prepared(session: requests.Session, adapter: "_GuardedAdapter") -> requests.Session:
    session.trust_env = False
    session.headers["User-Agent"] = "ehr-connector"
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _SharedSession(requests.Session):
    """A session that leaves its connections open for the next one."""

    def close(self) -> None:
        """Keep the connections; :func:`close_shared` closes them."""


@lru_cache(maxsize=4)
def _shared_adapter(policy: OutboundPolicy) -> "_GuardedAdapter":
    return _GuardedAdapter(policy, connections=SHARED_CONNECTIONS)


os.register_at_fork(after_in_child=_shared_adapter.cache_clear)  # two processes must not read from one connection


class _FreshPool(HTTPConnectionPool):
    """A pool that does not use connections that have been idle for long."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout)
        if time.monotonic() - getattr(conn, "idle_since", float("inf")) > IDLE_SECONDS:
            conn.close()  # it dials anew by itself
        return conn


class _GuardedAdapter(HTTPAdapter):
    """Dials through the guard and reads at most ``MOST_BYTES`` within ``WHOLE_SECONDS``."""

    def __init__(self, policy: OutboundPolicy, *, connections: int) -> None:
        self._connections = connection_classes(policy)
        super().__init__(max_retries=0, pool_connections=20, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        plain, secure = self._connections
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("GuardedPool", (_FreshPool,), {"ConnectionCls": plain}),
            "https": type("GuardedTLSPool", (_FreshPool, HTTPSConnectionPool), {"ConnectionCls": secure}),
        }

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        response = super().send(request, **{**kwargs, "stream": True})
        response._content = _read_bounded(response)  # noqa: SLF001 - requests has no setter for a body read elsewhere
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - and this says it was read
        return response


class _BodyTooLarge(requests.RequestException):
    """The body is longer than ``MOST_BYTES``."""


class _BodyTooSlow(requests.RequestException):
    """The body was not complete after ``WHOLE_SECONDS``."""


def _read_bounded(response: requests.Response) -> bytes:
    """Read piece by piece, as it comes: waiting for a full buffer would let a drip hold us for hours."""
    deadline = time.monotonic() + WHOLE_SECONDS
    body = bytearray()
    try:
        while chunk := _next_piece(response):
            body += chunk
            if len(body) > MOST_BYTES:
                raise _BodyTooLarge(f"more than {MOST_BYTES} bytes")
            if time.monotonic() > deadline:
                raise _BodyTooSlow(f"not complete after {WHOLE_SECONDS:.0f} s")
    finally:
        response.close()
    return bytes(body)


def _next_piece(response: requests.Response) -> bytes:
    try:
        piece: bytes = response.raw.read1(_CHUNK, decode_content=True)
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except HTTPError as error:
        raise requests.exceptions.ContentDecodingError(error) from error
    return piece


def _was_sent(error: requests.RequestException) -> bool:
    """Whether the request may have reached the peer: only a failed connect is sure that it did not."""
    if isinstance(error, requests.ConnectTimeout):
        return False
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ not in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError"}


def _retry_after(response: requests.Response) -> float | None:
    """Return how many seconds to wait (RFC 9110, section 10.2.3: a number, or a date), or None."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0) if moment.tzinfo else None


def _log(system: str, method: str, outcome: object, started: float) -> None:
    milliseconds = round((time.monotonic() - started) * 1000)
    logger.info(
        "outgoing call", extra={"system": system, "method": method, "outcome": str(outcome), "ms": milliseconds}
    )
