"""A small Graph and Entra on a real socket, for tests that count calls or let many threads call at once."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Answer = tuple[int, dict[str, Any]]

CREATE = re.compile(r"/graph/v1\.0/users/[^/]+/onlineMeetings/createOrGet")
LINK = re.compile(r".*/getVirtualAppointmentJoinWebUrl")
MEETING = re.compile(r"/graph/v1\.0/users/[^/]+/onlineMeetings/(?P<id>[^/]+)")
TOKEN = re.compile(r"/entra/[^/]+/oauth2/v2\.0/token")


class Peer(ThreadingHTTPServer):
    """Answers like Graph. ``calls`` counts by name; ``on_create`` runs before a meeting is made."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: Counter[str] = Counter()
        self.meetings: dict[str, str] = {}
        self.deleted: list[str] = []
        self.patches: list[dict[str, Any]] = []
        self.forms: list[dict[str, str]] = []  # token requests
        self.id_token = ""  # of the person who signs in
        self.on_create: Callable[[], None] = lambda: None
        self._refusal: tuple[int, dict[str, str]] | None = None
        self._lock = threading.Lock()

    def refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        """Answer every call to Graph with this status from now on."""
        self._refusal = status, headers or {}

    def refusal_of(self, path: str) -> tuple[int, dict[str, str]] | None:
        """Return how a call to ``path`` is refused, if it is."""
        return self._refusal if path.startswith("/graph/") else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        if TOKEN.fullmatch(path):
            return self._count("token", 200, {"access_token": "t0k3n", "expires_in": 3599, "id_token": self.id_token})
        if CREATE.fullmatch(path):
            self.on_create()
            return self._create(body)
        if LINK.fullmatch(path):
            return self._count("link", 200, {"value": "https://visit.example.org/route?convId=1"})
        found = MEETING.fullmatch(path)
        if found and method == "PATCH":
            self.patches.append(body)
            return self._count("patch", 200, body)
        if found and method == "DELETE":
            self.deleted.append(found["id"])
            return self._count("delete", 204, {})
        return self._count("unknown", 404, {"error": {"code": "NotFound", "message": path}})

    def _create(self, body: dict[str, Any]) -> Answer:
        with self._lock:
            known = body["externalId"] in self.meetings
            meeting_id = self.meetings.setdefault(body["externalId"], f"meeting-{len(self.meetings) + 1}")
        join_url = f"https://teams.example.org/l/meetup-join/{meeting_id}/0"
        return self._count("create", 200 if known else 201, {"id": meeting_id, "joinWebUrl": join_url})

    def _count(self, name: str, status: int, body: dict[str, Any]) -> Answer:
        with self._lock:
            self.calls[name] += 1
        return status, body


class _Handler(BaseHTTPRequestHandler):
    server: Peer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        if not is_json and TOKEN.fullmatch(self.path):
            self.server.forms.append(dict(parse_qsl(raw.decode())))
        refusal = self.server.refusal_of(self.path)
        status, body = (
            (refusal[0], {}) if refusal else self.server.answer(self.command, self.path, _body(raw, is_json=is_json))
        )
        payload = b"" if status == 204 else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in (refusal[1] if refusal else {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - the base class asks for these names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _body(raw: bytes, *, is_json: bool) -> dict[str, Any]:
    return dict(json.loads(raw)) if raw and is_json else {}
