"""How requests are answered under ASGI: each in one thread, from the first middleware to the end of the request.

Django's own handler runs middleware that *can* be asynchronous on the event loop and everything else in a thread
made for this one request, and goes to and fro between them some twenty times. All our views and most middleware are
synchronous, so that is twenty waits for the interpreter while others compute, and nothing is gained (ADR 18).
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import IO, Any, cast

import django
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

# More than a process has connections to PostgreSQL: health checks and files are answered while those are all in use.
THREADS = 64

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class OneThreadHandler(ASGIHandler):
    """An ASGI handler whose middleware and views are all synchronous, and entered once."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Build the chain for a thread, although we are called from an event loop."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that its browser gave up before it was complete is not begun.

        :raises ValueError: it is no HTTP request.
        """
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served here, not {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        context = contextvars.copy_context()  # language, scope and request id end with the request
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._threads, context.run, self._answer, scope, body)
        await self.send_response(response, send)

    def _answer(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """Return the whole answer; connections and files of the request are given back."""
        with closing(body):
            set_script_prefix(get_script_prefix(scope))
            request_started.send(sender=type(self), scope=scope)
            request, refusal = self.create_request(scope, body)
            response = cast("HttpResponse", refusal) if request is None else self.get_response(request)
            response._handler_class = type(self)  # type: ignore[attr-defined]  # noqa: SLF001 - who sends request_finished
            with closing(response):
                if isinstance(response, StreamingHttpResponse):  # made with the connection of this thread
                    response.streaming_content = _each(list(response))
        return response


async def _each(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def application() -> OneThreadHandler:
    """Set Django up and return the application to serve."""
    django.setup(set_prefix=False)
    return OneThreadHandler()
