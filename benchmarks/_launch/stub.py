"""Epic and Graph that answer at once: the connector alone is what is measured.

The authorization code is the nonce of the launch and a session id, so that the id_token can carry the one and the
context the other.
"""

import asyncio
import json
import multiprocessing
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://epic.bench.example.org/oauth2"
CLIENT_ID = "bench-provider"


class _Stub:
    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.keys: dict[str, object] = {"keys": [{**public, "kid": "k", "alg": "RS256", "use": "sig"}]}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(
                    (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
                )
                answer = json.dumps(self._answer(head.split(" ", 2)[1], await reader.readexactly(length))).encode()
                lines = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(lines.encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, body: bytes) -> dict[str, object]:
        number = uuid.uuid4().hex
        if path.endswith("/epic/token"):
            return self._tokens(parse_qs(body.decode())["code"][0])
        join_url = f"https://teams.example.org/l/meetup-join/{number}"
        answers: dict[str, dict[str, object]] = {
            "keys": self.keys,
            "token": {"access_token": "t", "expires_in": 3600},
            "createOrGet": {"id": f"m{number}", "joinWebUrl": join_url},
            "getVirtualAppointmentJoinWebUrl": {"value": "https://visit.example.org/route"},
        }
        if "/subscriptions" in path:  # made or renewed
            return {"id": f"s{number}", "expirationDateTime": "2099-01-01T00:00:00Z"}
        return answers.get(path.rpartition("/")[2], {})

    def _tokens(self, code: str) -> dict[str, object]:
        nonce, session_id = code.split(".")
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": CLIENT_ID, "sub": "Practitioner/bench", "nonce": nonce, "iat": now, "exp": now + 300,
        }  # fmt: skip
        id_token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "k"})
        return {
            "access_token": "a", "token_type": "bearer", "expires_in": 300, "id_token": id_token,
            "sessionId": session_id, "conferenceId": f"c{session_id}",
        }  # fmt: skip


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
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join(timeout=5)
