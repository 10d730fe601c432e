"""Many outgoing calls at once on an event loop, under the rules of :func:`core.http.build_session`.

Answers are given as :class:`requests.Response`, so that an adapter reads them the same way. Used where
thousands of calls are under way at the same time; everything else uses :mod:`core.http`.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import time
from types import TracebackType
from typing import Self

import aiohttp
import requests
from aiohttp.abc import AbstractResolver, ResolveResult
from requests.structures import CaseInsensitiveDict
from yarl import URL

from core.context import request_id
from core.errors import ConfigurationError, OutcomeUnknown, UpstreamUnavailable
from core.http import CONNECT_SECONDS, IDLE_SECONDS, MOST_BYTES, READ_SECONDS, WHOLE_SECONDS, HttpCall
from core.outbound import OutboundPolicy

_HTTPS_PORT = 443
_CHUNK = 65_536

logger = logging.getLogger(__name__)


class AsyncClient:
    """Makes calls on the running event loop; use it as ``async with AsyncClient(policy, parallel=…)``."""

    def __init__(self, policy: OutboundPolicy, *, parallel: int) -> None:
        """:param parallel: how many calls may be under way at once; more wait."""
        self._policy = policy
        self._parallel = parallel
        self._checked: set[tuple[str, str | None, int | None]] = set()
        self._headers = {"User-Agent": "ehr-connector", "X-Request-ID": request_id()}

    async def __aenter__(self) -> Self:
        """Open the pool."""
        timeout = aiohttp.ClientTimeout(total=WHOLE_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._parallel, resolver=_GuardedResolver(self._policy), keepalive_timeout=IDLE_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=timeout,
            trust_env=False,
            headers=self._headers,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pool."""
        await self._session.close()

    async def call(self, wanted: HttpCall, *, system: str) -> requests.Response:
        """Make one call and return the answer, whatever its status.

        :raises UpstreamUnavailable: ``<system>.unreachable``; nothing was sent.
        :raises OutcomeUnknown: ``<system>.no_answer``; it was sent and no complete answer came.
        :raises ConfigurationError: the address is refused by the guard.
        """
        started = time.monotonic()
        url = URL(wanted.url, encoded=True)
        self._check(url)
        try:
            async with self._session.request(
                wanted.method, url, data=wanted.body or None, headers=wanted.headers, allow_redirects=False
            ) as answer:
                response = await _read(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            _log(system, wanted, "unreachable", started)
            raise UpstreamUnavailable(f"{system}.unreachable", detail=type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log(system, wanted, type(error).__name__, started)
            raise OutcomeUnknown(f"{system}.no_answer", detail=type(error).__name__) from error
        _log(system, wanted, response.status_code, started)
        return response

    def _check(self, url: URL) -> None:
        """Check the scheme, and an address written as digits, which no resolver is asked about; once for each host."""
        origin = (url.scheme, url.host, url.port)
        if origin in self._checked:
            return
        is_https = url.scheme == "https"
        if not is_https and (not self._policy.allow_http or url.port == _HTTPS_PORT):
            raise ConfigurationError("http.not_https", "The address does not start with https.")
        with contextlib.suppress(ValueError):  # a name
            self._policy.check(ipaddress.ip_address(url.host or ""), port=url.port or 0, is_https=is_https)
        self._checked.add(origin)


class _GuardedResolver(AbstractResolver):
    """Resolves a name once and refuses it when any of its addresses may not be dialled.

    The connector dials what this returns, so a name that changes its mind gains nothing.
    """

    def __init__(self, policy: OutboundPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of ``host``."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = [(str(target[0]).split("%")[0], kind, protocol) for kind, _, protocol, _, target in found]
        for address, _, _ in addresses:
            self._policy.check(ipaddress.ip_address(address), port=port, is_https=True)  # the scheme was checked
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=protocol, flags=0)
            for address, kind, protocol in addresses
        ]

    async def close(self) -> None:
        """Hold nothing that would have to be closed."""


async def _read(answer: aiohttp.ClientResponse) -> requests.Response:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise aiohttp.ClientPayloadError("the body is too large")
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = "utf-8"
    response._content = bytes(body)  # noqa: SLF001 - requests has no setter for a body read elsewhere
    return response


def _log(system: str, wanted: HttpCall, outcome: object, started: float) -> None:
    if not logger.isEnabledFor(logging.INFO):
        return
    milliseconds = round((time.monotonic() - started) * 1000)
    logger.info(
        "outgoing call", extra={"system": system, "method": wanted.method, "outcome": str(outcome), "ms": milliseconds}
    )
