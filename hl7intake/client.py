"""An MLLP client over TLS, for analysts and for the "send a test message" button."""

import hashlib
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import ConfigurationError, UpstreamUnavailable
from hl7intake.framing import Framer, frame

_LONGEST_ANSWER = 65_536


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """Whom to send to, and as whom.

    :param certificate_path: our certificate (PEM); with ``key_path``, unless the file holds the key too.
    :param server_certificate_path: the listener's own certificate: then exactly this one is accepted,
        instead of one that the system trusts for the host name.
    :param is_plain: without TLS, for a listener on this machine.
    """

    host: str
    port: int
    certificate_path: str = ""
    key_path: str = ""
    server_certificate_path: str = ""
    is_plain: bool = False
    timeout_seconds: float = 30.0


class MllpClient:
    """One connection; messages are sent and answered one after another."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._framer = Framer(limit=_LONGEST_ANSWER)
        self._answers: list[bytes] = []
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            self._connect()
        except ssl.SSLError as error:
            raise ConfigurationError(
                "mllp.handshake_failed", f"The TLS handshake failed: {error.strerror or error}."
            ) from error
        except OSError as error:
            raise UpstreamUnavailable("mllp.unreachable", f"Cannot connect: {error.strerror or error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def send(self, message: bytes) -> bytes:
        """Send one message and return the first answer.

        :raises UpstreamUnavailable: ``mllp.no_answer`` when the connection ends or nothing comes in time.
        """
        assert self._socket is not None  # noqa: S101 - used as a context manager
        try:
            self._socket.sendall(frame(message))
        except OSError as error:
            raise _no_answer(error) from error
        return self.receive()

    def receive(self) -> bytes:
        """Return the next answer; in enhanced mode a message may have two.

        :raises UpstreamUnavailable: ``mllp.no_answer`` when the connection ends or nothing comes in time.
        """
        assert self._socket is not None  # noqa: S101 - used as a context manager
        try:
            while not self._answers:
                data = self._socket.recv(65_536)
                if not data:
                    raise UpstreamUnavailable("mllp.no_answer", "The listener closed the connection without an answer.")
                self._answers += self._framer.feed(data)
        except OSError as error:
            raise _no_answer(error) from error
        return self._answers.pop(0)

    def _connect(self) -> None:
        options = self._options
        plain = socket.create_connection((options.host, options.port), timeout=options.timeout_seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = plain if options.is_plain else self._secure(plain)
        except BaseException:
            plain.close()
            raise

    def _secure(self, plain: socket.socket) -> ssl.SSLSocket:
        options = self._options
        context = ssl.create_default_context()
        if options.server_certificate_path:
            # The pin below is stricter than a chain and a name.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if options.certificate_path:
            context.load_cert_chain(options.certificate_path, options.key_path or None)
        secured = context.wrap_socket(plain, server_hostname=options.host)
        if options.server_certificate_path and not self._is_pinned(secured):
            secured.close()
            raise ssl.SSLError(1, "the listener presented another certificate than the given one")
        return secured

    def _is_pinned(self, secured: ssl.SSLSocket) -> bool:
        text = Path(self._options.server_certificate_path).read_text(encoding="ascii")
        begin = text.index("-----BEGIN CERTIFICATE-----")
        end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")
        pinned = ssl.PEM_cert_to_DER_cert(text[begin:end] + "\n")
        presented = secured.getpeercert(binary_form=True) or b""
        return hashlib.sha256(presented).digest() == hashlib.sha256(pinned).digest()


def _no_answer(error: OSError) -> UpstreamUnavailable:
    return UpstreamUnavailable("mllp.no_answer", f"No answer: {error.strerror or error}.")
