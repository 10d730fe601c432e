"""A hospital's listener, written from the MLLP specification and not from the connector's."""

import contextlib
import queue
import socket
import ssl
import threading

from hl7intake.reader import read

START, END = b"\x0b", b"\x1c\r"


class Engine:
    """A hospital's listener: takes messages over TLS with a client certificate and answers as told.

    :param earlier: control ids that other tests left unanswered; Epic still sends them, here they are settled quietly.
    """

    def __init__(self, tls, *, earlier: frozenset[str] = frozenset()) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tls / "bridges.crt"))
        context.load_cert_chain(tls / "listener.crt", tls / "listener.key")
        context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self._earlier = earlier
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.answers: list[str] = []  # the next codes, or code|other id; "" hangs up; then AA
        self.messages: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def take(self):
        """Return the oldest message that nobody took yet, read by our own reader."""
        return read(self.messages.get(timeout=10))

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            # One thread a connection: whoever is slow to shake hands must not make the next sender give up.
            threading.Thread(target=self._answer, args=(plain,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        plain.settimeout(30)
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            self._talk(connection)

    def _talk(self, connection: ssl.SSLSocket) -> None:
        received = b""
        while not received.endswith(END):
            part = connection.recv(4096)
            if not part:
                return  # the sender gave up
            received += part
        message = received.removeprefix(START).removesuffix(END)
        control_id = message.split(b"|")[9].decode()
        code = "AA" if control_id in self._earlier else self._take_down(message)
        if code:
            code, _, other = code.partition("|")
            control_id = other or control_id
            connection.sendall(START + f"MSH|^~\\&|||||||ACK|1|T|2.3\rMSA|{code}|{control_id}|\r".encode() + END)

    def _take_down(self, message: bytes) -> str:
        self.messages.put(message)
        return self.answers.pop(0) if self.answers else "AA"
