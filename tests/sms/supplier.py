"""A supplier on a socket of its own that answers as a test says: as ACS or Twilio would, late, or not at all."""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

HANG = 0


@dataclass
class Answer:
    """What is answered; status ``HANG`` keeps the caller waiting until the supplier closes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # hundreds of connections are opened at once


class Supplier:
    """Listens until :meth:`close`. ``plan`` holds the next answers; then ``usual`` answers."""

    def __init__(self, usual: Callable[[Call], Answer] = accepted_by_acs) -> None:
        self.calls: list[Call] = []
        self.plan: list[Answer | Callable[[Call], Answer]] = []
        self.usual = usual
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def answer(self, call: Call) -> Answer:
        """Keep ``call`` and return what to say."""
        with self._lock:
            self.calls.append(call)
            said = self.plan.pop(0) if self.plan else self.usual
        return said(call) if callable(said) else said

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        supplier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = supplier.answer(Call(self.command, self.path, dict(self.headers.items()), body))
                if answer.status == HANG:
                    supplier._closing.wait(30)
                    self.close_connection = True
                    return
                content = b"" if answer.body is None else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815 - the name the server looks for

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Handler
