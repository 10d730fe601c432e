"""Senders that wait for each answer before they send again, as interface engines do."""

import asyncio
import ssl
import statistics
import time
from dataclasses import dataclass, field
from itertools import count

from benchmarks._hl7.message import message

_END = b"\x1c\r"


@dataclass(kw_only=True)
class Result:
    """What came of a load; times in seconds."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: int = 0

    @property
    def rate(self) -> float:
        """Accepted messages a second."""
        return len(self.latencies) / self.seconds

    def __add__(self, other: "Result") -> "Result":
        """Return what came of both, one after the other."""
        return Result(
            latencies=self.latencies + other.latencies,
            seconds=self.seconds + other.seconds,
            refused=self.refused + other.refused,
        )

    def percentile(self, percent: int) -> float:
        """Return the time within which so many percent were answered."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1]


class Sender(asyncio.Protocol):
    """One connection; sends the next message as soon as the last one is answered."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.sent_at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP client's is one
        self.transport = transport

    def send(self) -> None:
        """Send one message."""
        self.sent_at = time.perf_counter()
        self.transport.write(b"\x0b" + self.load.next_message() + _END)

    def data_received(self, data: bytes) -> None:
        """Take the answer and send again."""
        self.buffer += data
        if not self.buffer.endswith(_END):
            return
        now = time.perf_counter()
        if b"MSA|AA" in self.buffer or b"MSA|CA" in self.buffer:
            self.load.result.latencies.append(now - self.sent_at)
        else:
            self.load.result.refused += 1
        self.buffer = b""
        if now >= self.load.until or self.load.reconnects:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that it is over."""
        if not self.done.done():
            self.done.set_result(None)


class Load:
    """A number of senders for some time.

    :param reconnects: open a connection for each message, for servers that close it after one.
    """

    def __init__(self, port: int, *, prefix: str, context: ssl.SSLContext | None = None, reconnects: bool = False):
        self.port = port
        self.context = context
        self.reconnects = reconnects
        self.result = Result()
        self.until = 0.0
        self._prefix = prefix
        self._numbers = count()

    def next_message(self) -> bytes:
        """Return a message that was not sent yet."""
        return message(next(self._numbers), prefix=self._prefix)

    def run(self, *, connections: int, seconds: float) -> Result:
        """Send for so long over so many connections and return what came of it."""
        asyncio.run(self._run(connections, seconds))
        return self.result

    async def _run(self, connections: int, seconds: float) -> None:
        senders = await asyncio.gather(*(self._connect() for _ in range(connections)))
        # Handshakes are over: what is measured is messages.
        started = time.perf_counter()
        self.until = started + seconds
        await asyncio.gather(*(self._send(sender) for sender in senders))
        self.result.seconds = time.perf_counter() - started

    async def _send(self, sender: Sender) -> None:
        sender.send()
        await sender.done
        while time.perf_counter() < self.until:
            sender = await self._connect()
            sender.send()
            await sender.done

    async def _connect(self) -> Sender:
        loop = asyncio.get_running_loop()
        name = "localhost" if self.context else None
        _, sender = await loop.create_connection(
            lambda: Sender(self), "127.0.0.1", self.port, ssl=self.context, server_hostname=name
        )
        return sender
