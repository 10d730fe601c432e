"""An EHR that takes a status in 100 ms: the least a server can do, so that the connector is what is measured.

Raw asyncio, one process. Speaks HTTP/1.1 with keep-alive; knows a token endpoint and any other path, which is a
status call. ``/ledger`` answers what came, in order: external id, status, and when the answer was due to be sent.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

DELAY = 0.1
_TOKEN = json.dumps({"access_token": "at", "token_type": "bearer", "expires_in": 3600}).encode()

Entry = tuple[str, str, float]


class _Stub:
    def __init__(self) -> None:
        self.ledger: list[Entry] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
        if length:
            await reader.readexactly(length)
        address = urlsplit(lines[0].split(" ")[1])
        body = b"{}"
        if address.path == "/ledger":
            body = json.dumps(self.ledger).encode()
        elif address.path.endswith("/token"):
            body = _TOKEN
        else:
            query = parse_qs(address.query)
            # What came is in order of arrival: that is when the EHR's state changes.
            self.ledger.append((query["ExternalID"][0], query["ConnectionStatus"][0], time.time()))
            await asyncio.sleep(DELAY)
        head_out = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head_out.encode() + body)
        await writer.drain()


async def _run(port: "multiprocessing.Queue[int]") -> None:
    server = await asyncio.start_server(_Stub().serve, "127.0.0.1", 0)
    port.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _main(port: "multiprocessing.Queue[int]") -> None:
    asyncio.run(_run(port))


@contextmanager
def running() -> Iterator[str]:
    """Run the stub in a process of its own and yield its address."""
    context = multiprocessing.get_context("spawn")
    port: multiprocessing.Queue[int] = context.Queue()
    process = context.Process(target=_main, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=20)}"
    finally:
        process.terminate()
        process.join(timeout=5)
