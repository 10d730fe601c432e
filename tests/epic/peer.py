"""A small HTTP server on a port of its own: whatever a test wants Epic, or a key set, to answer."""

import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Received:
    """One request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    body: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str


class Peer:
    """Answers each path with what was queued for it; the last answer stays."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._answers: dict[str, deque[Answer]] = defaultdict(deque)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def answers(
        self, path: str, body: Any = None, *, status: int = 200, content_type: str = "application/json"
    ) -> None:
        """Queue an answer for ``path``; bytes are sent as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        self._answers[path].append(Answer(status, content, content_type))

    def replace(self, path: str, body: Any, *, status: int = 200) -> None:
        """Answer ``path`` with ``body`` from now on."""
        self._answers[path].clear()
        self.answers(path, body, status=status)

    def calls(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, path: str) -> Answer:
        queued = self._answers.get(path)
        if not queued:
            return Answer(404, b"", "text/plain")
        return queued.popleft() if len(queued) > 1 else queued[0]

    def _handler(peer) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                peer.received.append(
                    Received(
                        method=self.command,
                        path=parts.path,
                        query=dict(parse_qsl(parts.query)),
                        headers={name.title(): value for name, value in self.headers.items()},
                        form=dict(parse_qsl(body, keep_blank_values=True)),
                        body=body,
                    )
                )
                answer = peer._take(parts.path)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names http.server calls

            def log_message(self, *_: Any) -> None:
                """Keep the terminal quiet."""

        return Handler
