"""The least an HTTP client can do: asyncio, keep-alive, a cookie, a time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    """Status, head and body of an answer, and how long it took in milliseconds."""

    status: int
    head: str
    body: bytes
    milliseconds: float


@dataclass
class Browser:
    """One connection with its cookies."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> Answer:
        """Make a request and keep the cookies it sets."""
        if self._streams is None:
            parts = urlsplit(self.base)
            self._streams = await asyncio.open_connection(parts.hostname, parts.port, limit=1_048_576)
        reader, writer = self._streams
        head = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(self.base).netloc}", f"Content-Length: {len(body)}"]
        head += [f"Content-Type: {kind}"] if kind else []
        head += [f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}"]
        started = time.perf_counter()
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
        raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        answer = await _body(raw, reader)
        milliseconds = (time.perf_counter() - started) * 1000
        for line in raw.split("\r\n"):
            if line.lower().startswith("set-cookie: "):
                name, _, value = line[12:].partition(";")[0].partition("=")
                self.cookies[name] = value
        return Answer(int(raw.split(" ", 2)[1]), raw, answer, milliseconds)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _body(head: str, reader: asyncio.StreamReader) -> bytes:
    lines = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head.split("\r\n")[1:]}
    if lines.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body
    return await reader.readexactly(int(lines.get("content-length", 0)))


async def saturate(work: Callable[[], Awaitable[None]], *, users: int, seconds: float) -> float:
    """Let ``users`` repeat ``work`` without a pause; return how often it was done a second."""
    ends, done = time.monotonic() + seconds, 0

    async def user() -> None:
        nonlocal done
        while time.monotonic() < ends:
            await work()
            done += 1

    started = time.monotonic()
    await asyncio.gather(*(user() for _ in range(users)))
    return done / (time.monotonic() - started)


async def at_rate(work: Callable[[], Coroutine[Any, Any, None]], *, rate: float, seconds: float) -> None:
    """Begin ``work`` ``rate`` times a second at random moments, whether or not the one before is done."""
    tasks: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while loop.time() < ends:
        tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(random.expovariate(rate))
    await asyncio.gather(*tasks)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
