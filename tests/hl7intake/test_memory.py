"""What one sender can make the listener hold: little, whatever it sends and however little it reads."""

import ssl
from pathlib import Path

import pytest

from hl7intake.framing import frame
from tests.hl7intake.mllp import Peer, code, numbered, start_listener
from tests.hl7intake.pki import client_context

pytestmark = pytest.mark.django_db(transaction=True)
MEBIBYTE = 1_048_576
ENDLESS = b"\x0b" + numbered(1) + b"NTE|1||" + b"x" * MEBIBYTE
JUNK = b"GET / HTTP/1.1\r\n" * 4_096


def memory_of(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _pour(port: int, context: ssl.SSLContext, data: bytes, *, total: int) -> None:
    """Send ``total`` bytes of ``data``, on a new connection whenever one is closed."""
    sent = 0
    while sent < total:
        with Peer(port, context) as peer:
            try:
                while sent < total:
                    peer.send(data)
                    sent += len(data)
            except (ConnectionError, ssl.SSLError):
                sent += len(data)


@pytest.mark.parametrize("data", [ENDLESS, JUNK], ids=["a message without an end", "junk"])
def test_sixty_four_megabytes_leave_the_listener_as_small_as_it_was(data, server, bridges, tmp_path):
    process, port = start_listener(server, "--port", "0")
    context = client_context(bridges, tmp_path)
    try:
        _pour(port, context, data, total=8 * MEBIBYTE)  # buffers and code that only this needs
        before = memory_of(process.pid)
        _pour(port, context, data, total=64 * MEBIBYTE)
        assert memory_of(process.pid) - before < 8
        with Peer(port, context) as peer:
            peer.send(frame(numbered(2)))
            assert code(peer.answer()) == ("AA", "N2")
    finally:
        process.terminate()
        process.communicate(timeout=30)
