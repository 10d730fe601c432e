"""A small MLLP client over TLS with a client certificate, as an interface engine has one."""

import socket
import ssl
from dataclasses import dataclass

from django.conf import settings

START, END = b"\x0b", b"\x1c\r"
SECONDS = 10
MOST_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the listener acknowledged: MSA-1, MSA-2 and MSA-3."""

    code: str
    control_id: str
    text: str


def send(message: str, *, control_id: str, host: str, port: int) -> Answer:
    """Send one message on a connection of its own and wait for the acknowledgement.

    :raises OSError: when nobody listens, the connection is refused, no answer comes in ten seconds, or the
        answer is about another message.
    """
    with socket.create_connection((host, port), SECONDS) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with _secured(plain) as connection:
            connection.sendall(START + message.encode() + END)
            answer = _read(_frame(connection))
    if answer.control_id != control_id:
        raise ConnectionError(f"the answer is about message {answer.control_id!r}")
    return answer


def _secured(plain: socket.socket) -> socket.socket:
    """Wrap the connection in TLS; without a certificate to show, an interface of old sends in the clear."""
    if not settings.MLLP_CLIENT_CERTIFICATE_PATH:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(settings.MLLP_CA_PATH)
    context.load_cert_chain(settings.MLLP_CLIENT_CERTIFICATE_PATH, settings.MLLP_CLIENT_KEY_PATH)
    return context.wrap_socket(plain, server_hostname="localhost")


def _frame(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(END):
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("the listener closed the connection without an answer")
        received += part
        if len(received) > MOST_BYTES:
            raise ConnectionError("the answer is too long")
    return received.removeprefix(START).removesuffix(END)


def _read(frame: bytes) -> Answer:
    for segment in frame.decode(errors="replace").replace("\n", "\r").split("\r"):
        name, *fields = segment.split("|")
        if name == "MSA":
            code, control_id, text = (*fields, "", "", "")[:3]
            return Answer(code=code, control_id=control_id, text=text)
    raise ConnectionError("the answer has no MSA segment")
