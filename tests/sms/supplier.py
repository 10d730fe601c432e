"""A supplier on a socket of its own that answers as a test says: as ACS or Twilio would, late, or not at all."""

import asyncio
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

HANG = 0


@dataclass
class Answer:
    """What is answered, ``after`` some seconds; status ``HANG`` keeps the caller waiting until the supplier closes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


@dataclass(frozen=True)
class Call:
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def recipient(self) -> dict[str, Any]:
        """The one recipient of an ACS request."""
        (recipient,) = self.json["smsRecipients"]
        return recipient


def accepted_by_acs(call: Call) -> Answer:
    result = {"to": call.recipient["to"], "messageId": "m-1", "httpStatusCode": 202, "successful": True}
    return Answer(202, {"value": [result]})


def accepted_by_twilio(_call: Call) -> Answer:
    return Answer(201, {"sid": f"SM{uuid.uuid4().hex}", "status": "queued"})


class Supplier:
    """Listens until :meth:`close`. ``plan`` holds the next answers; then ``usual`` answers.

    One event loop takes the requests in the order in which they arrive, however busy the machine is: a list that
    is asked for later never lacks a text that was handed over long before.
    """

    def __init__(self, usual: Callable[[Call], Answer] = accepted_by_acs) -> None:
        self.calls: list[Call] = []
        self.plan: list[Answer | Callable[[Call], Answer]] = []
        self.usual = usual
        self.url = ""
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="supplier", daemon=True)
        self._thread.start()
        self._is_ready.wait()

    def close(self) -> None:
        """Cut every connection; closing it again does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(self._handle, access_log=None)
        listening = await self._loop.create_server(server, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        self._is_ready.set()
        await self._closing.wait()
        listening.close()
        await server.shutdown(timeout=0.1)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call(request.method, request.path_qs, dict(request.headers), await request.read())
        self.calls.append(call)
        said = self.plan.pop(0) if self.plan else self.usual
        answer = said(call) if callable(said) else said
        await asyncio.sleep(answer.after)
        if answer.status == HANG:
            await self._closing.wait()
        body = None if answer.body is None else json.dumps(answer.body).encode()
        return web.Response(status=answer.status or 500, body=body, headers=answer.headers)
