"""The least that a durable MLLP listener has to do: ``python -m benchmarks._hl7.reference [certificate key]``.

asyncio, psycopg and one INSERT a commit for whatever came meanwhile; then AA. It trusts everybody, checks and
reads nothing but MSH-10, and knows no duplicates. Prints its port.
"""

import asyncio
import os
import ssl
import sys

import psycopg

_CREATE = """
    DROP TABLE IF EXISTS bench_reference;
    CREATE TABLE bench_reference (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, control_id text, raw bytea)
"""
_INSERT = "INSERT INTO bench_reference (control_id, raw) SELECT * FROM unnest(%s::text[], %s::bytea[])"


class Writer:
    """Inserts what waits, again and again."""

    def __init__(self) -> None:
        self.waiting: list[tuple[bytes, Peer]] = []
        self.wake = asyncio.Event()

    async def run(self, connection: psycopg.AsyncConnection[object]) -> None:
        """Write for ever."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            group, self.waiting = self.waiting, []
            ids = [raw.split(b"\r", 1)[0].split(b"|")[9] for raw, _ in group]
            await connection.execute(_INSERT, [[one.decode() for one in ids], [raw for raw, _ in group]], binary=True)
            for one, (_, peer) in zip(ids, group, strict=True):
                peer.transport.write(b"\x0bMSH|^~\\&|B|B|A|A|||ACK|1|P|2.5.1\rMSA|AA|" + one + b"\r\x1c\r")


class Peer(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server's is one
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Queue every whole frame."""
        self.buffer += data
        while (end := self.buffer.find(b"\x1c\r")) >= 0:
            self.writer.waiting.append((self.buffer[1:end], self))
            self.buffer = self.buffer[end + 2 :]
        self.writer.wake.set()


async def main(files: list[str]) -> None:
    """Serve until killed."""
    connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    await connection.execute(_CREATE)
    writer = Writer()
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        context.load_verify_locations(files[0])
    server = await asyncio.get_running_loop().create_server(lambda: Peer(writer), "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"port {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await writer.run(connection)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
