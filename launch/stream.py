"""Live status as server-sent events: ``changed`` when the page should ask for its living part again.

An ASGI application of its own, beside Django's: there a stream would keep a thread and a database connection
for as long as it is open. It tells that something changed, never what; what is shown comes from the page's own
request, with all its checks. Source: HTML Living Standard, section 9.2 "Server-sent events".
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from io import BytesIO
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.urls import reverse

from core import scope as row_scope
from core.security import headers_beside_django
from launch.cookies import current_attempt
from launch.hub import Hub, HubAway, Watcher
from meetings.services.live import channel_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# A page that hears nothing for longer than two of these takes the stream for dead and polls.
ALIVE_SECONDS = 10.0
# The browser connects again by itself; who may no longer watch is turned away then.
LONGEST_SECONDS = 600.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # proxies must not collect events
]
_BEGIN = b"retry: 3000\n\nevent: changed\ndata: 1\n\n"  # what happened before the stream was open
_CHANGED = b"event: changed\ndata: 1\n\n"
_ALIVE = b"event: alive\ndata: 1\n\n"

_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = weakref.WeakKeyDictionary()


def with_streams(application: Application) -> Application:
    """Return ``application`` with the address of the live status answered here."""
    path = reverse("launch:status_stream")

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == path and scope["method"] == "GET":
            await _stream(scope, receive, send)
        else:
            await application(scope, receive, send)

    return answer


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    visit_id = await sync_to_async(_watched_visit, thread_sensitive=False)(scope)
    if visit_id is None:
        await _refuse(send, status=204)  # which tells the browser not to come again
        return
    channel, hub = channel_of(visit_id), _hub()
    try:
        watcher = await hub.watch(channel)
    except HubAway:
        await _refuse(send, status=503)
        return
    leaving = asyncio.ensure_future(_until_gone(receive, watcher))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *headers_beside_django()]})
        await _tell(watcher, send)
    except OSError:  # the browser went while we were writing
        return
    finally:
        leaving.cancel()
        hub.leave(channel, watcher)


async def _tell(watcher: Watcher, send: Send) -> None:
    """Write events until the watcher's stream is over."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + LONGEST_SECONDS
    body = _BEGIN
    while not watcher.is_over and loop.time() < ends_at:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                await watcher.news.wait()
        except TimeoutError:
            body = _ALIVE
            continue
        body = _CHANGED if watcher.take() else _ALIVE
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive, watcher: Watcher) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watcher.end()


async def _refuse(send: Send, *, status: int) -> None:
    headers = [(b"content-length", b"0"), *headers_beside_django()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _watched_visit(scope: Scope) -> UUID | None:
    """Return the visit that the provider behind this browser's cookie may watch."""
    close_old_connections()
    try:
        with row_scope.within(row_scope.of_platform("live status")):
            attempt = current_attempt(ASGIRequest(scope, BytesIO()))
    finally:
        close_old_connections()
    if attempt is None or attempt.visit_id is None or not attempt.is_provider:
        return None
    return attempt.visit_id


def _hub() -> Hub:
    return _hubs.setdefault(asyncio.get_running_loop(), Hub(settings.REDIS_URL))
