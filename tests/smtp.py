"""A mail server that keeps what it takes, for tests; it can refuse."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message


class _Session(socketserver.StreamRequestHandler):
    """Just enough of RFC 5321."""

    server: "MailServer"

    def handle(self) -> None:
        self._recipients: list[str] = []
        self._say("220 test")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"QUIT":
                self._say("221 bye")
                return
            if verb == b"DATA":
                self._say("354 go on")
                self._take()
            elif verb == b"MAIL" and self.server.refuses:
                self._say("451 try later")
            else:
                if verb == b"RCPT":
                    self._recipients.append(line.decode().partition("<")[2].partition(">")[0])
                self._say("250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        self.server.taken.append(message_from_bytes(b"".join(lines)))
        self.server.recipients.append(sorted(self._recipients))
        self._say("250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    """``taken`` holds what it took, oldest first, ``recipients`` who gets each; with ``refuses`` it takes none."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.recipients: list[list[str]] = []
        self.refuses = False
        super().__init__(("127.0.0.1", 0), _Session)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run one for a while."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
