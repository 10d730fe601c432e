"""A cable that can be unplugged: forwards TCP connections to a port, until it is switched off."""

import contextlib
import selectors
import socket
import threading

_CHUNK = 65_536


class Switch:
    """Listens on a port of its own and forwards to ``target``; off, nobody answers there.

    The port stays the same, so that whoever was cut off finds the other side again.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.on()

    def on(self) -> None:
        """Plug the cable in, unless it is."""
        if self._listener:
            return
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def off(self) -> None:
        """Pull the cable: new connections are refused, open ones break."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            broken, self._open = self._open, set()
        for connection in broken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        # A target that is away or goes away breaks the connection, and no more.
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target)) as server:
            pair = {client: server, server: client}
            with self._lock:
                self._open |= set(pair)
            try:
                _carry(pair)
            finally:
                with self._lock:
                    self._open -= set(pair)


def _carry(pair: dict[socket.socket, socket.socket]) -> None:
    with selectors.DefaultSelector() as ready:
        for connection in pair:
            ready.register(connection, selectors.EVENT_READ)
        while _pass_on(ready, pair):
            pass


def _pass_on(ready: selectors.BaseSelector, pair: dict[socket.socket, socket.socket]) -> bool:
    for key, _ in ready.select():
        connection = key.fileobj
        assert isinstance(connection, socket.socket)
        data = connection.recv(_CHUNK)
        if not data:
            return False
        pair[connection].sendall(data)
    return True
