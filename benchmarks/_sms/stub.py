"""A supplier that takes every text the ACS way after a given time, and knows which it has seen before.

Its own process: ``python -m benchmarks._sms.stub PORT MILLISECONDS``. ``GET /stats`` tells what it took.
"""

import asyncio
import json
import re
import sys
import uuid

import uvloop

_KEY = re.compile(rb'"repeatabilityRequestId": "([0-9a-f-]{36})"')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Ledger:
    """The keys that were taken, in order of arrival."""

    def __init__(self) -> None:
        self.seen: dict[bytes, bytes] = {}
        self.calls = 0
        self.repeated = 0
        self.texts = 0

    def take(self, key: bytes) -> bytes:
        """Return the message id of a key; the same one if it came before."""
        self.calls += 1
        if key in self.seen:
            self.repeated += 1
        else:
            self.texts += 1
        return self.seen.setdefault(key, uuid.uuid4().hex.encode())

    def stats(self) -> dict[str, int]:
        """Return how many calls came, how many repeated a key, and how many texts phones got."""
        return {"calls": self.calls, "repeated": self.repeated, "texts": self.texts}


class Connection(asyncio.Protocol):
    """One connection; requests follow one another on it."""

    def __init__(self, ledger: Ledger, *, seconds: float) -> None:
        self._ledger = ledger
        self._seconds = seconds
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < size:
                return
            request, self._buffer = self._buffer[:size], self._buffer[size:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"GET /reset"):
            self._ledger.__init__()  # type: ignore[misc]
        if request.startswith(b"GET"):
            self._write(b"200 OK", json.dumps(self._ledger.stats()).encode())
            return
        key = _KEY.search(request)
        message_id = self._ledger.take(key[1] if key else uuid.uuid4().hex.encode())
        body = b'{"value":[{"to":"+1","messageId":"' + message_id + b'","httpStatusCode":202,"successful":true}]}'
        asyncio.get_running_loop().call_later(self._seconds, self._write, b"202 Accepted", body)

    def _write(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: "
        if not self._transport.is_closing():
            self._transport.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)  # type: ignore[attr-defined]


async def serve(port: int, *, seconds: float) -> None:
    """Answer until the process ends."""
    ledger = Ledger()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(ledger, seconds=seconds), "127.0.0.1", port, backlog=4096
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), seconds=int(sys.argv[2]) / 1000))
