"""A customer's webhook, for tests of what the twin sends: answers handshakes and keeps what arrives."""

import json
import queue
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit


@dataclass(frozen=True)
class Delivery:
    """One request that arrived."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Listener:
    """Listens on a port of its own until :meth:`close`."""

    def __init__(self) -> None:
        self.deliveries: queue.Queue[Delivery] = queue.Queue()
        self.statuses: list[int] = []  # the next answers; then 202
        self.echoes = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def take(self, *, about: str = "", seconds: float = 8.0) -> Delivery:
        """Return the oldest delivery that nobody took yet.

        :param about: pass over deliveries that do not contain it; late ones of an earlier test, for instance.
        """
        deadline = time.monotonic() + seconds
        while True:
            delivery = self.deliveries.get(timeout=max(deadline - time.monotonic(), 0.01))
            if about.encode() in delivery.body:
                return delivery

    def is_quiet(self, *, seconds: float = 0.6) -> bool:
        """Tell whether nothing more arrives."""
        try:
            self.deliveries.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, delivery: Delivery) -> tuple[int, str, bytes]:
        """Return status, content type and body: an echo for handshakes, else the next of ``statuses``."""
        query = parse_qs(urlsplit(delivery.url).query)
        if "validationToken" in query:
            return 200, "text/plain", query["validationToken"][0].encode() if self.echoes else b"something else"
        if delivery.headers.get("aeg-event-type") == "SubscriptionValidation":
            code = delivery.json[0]["data"]["validationCode"] if self.echoes else "something else"
            return 200, "application/json", json.dumps({"validationResponse": code}).encode()
        self.deliveries.put(delivery)
        return (self.statuses.pop(0) if self.statuses else 202), "text/plain", b""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, content_type, answer = listener.answer(
                    Delivery(f"{listener.url}{self.path}", dict(self.headers.items()), body)
                )
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Handler
