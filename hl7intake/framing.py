"""MLLP framing: ``<VT> message <FS> <CR>``, out of whatever pieces the network delivers.

Source: HL7 v3 Transport Specification, MLLP release 1. Real senders forget the final CR, put line ends
and NUL between frames, and start anew without ending; all of that is understood.
"""

START = b"\x0b"
END = b"\x1c"
_TRAILER = b"\x1c\r"
_RESTART = b"\x0bMSH"
_BEGINNING = 8192


def frame(message: bytes) -> bytes:
    """Return ``message`` as one frame."""
    return START + message + _TRAILER


def _is_one_frame(data: bytes) -> bool:
    return data.endswith(_TRAILER) and data.find(END) == len(data) - 2 and data.rfind(START) == 0


class Framer:
    """Collects bytes and gives out whole messages.

    ``junk`` counts bytes that belonged to no frame; ``truncated`` counts frames that were begun anew.
    ``overflow`` holds the beginning of a message that grew beyond the limit, enough to answer it; nothing
    is read any more then.
    """

    def __init__(self, *, limit: int) -> None:
        self.junk = 0
        self.truncated = 0
        self.overflow: bytes | None = None
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0

    @property
    def is_inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take ``data`` and return the messages it completes, in order."""
        if self.overflow is not None:
            return []
        if not self._buffer:
            if _is_one_frame(data) and len(data) <= self._limit:  # as nearly always
                return [data[1:-2]]
            data = self._skip_to_start(data)
        self._buffer += data
        messages = []
        while (end := self._buffer.find(END, self._searched)) >= 0:
            messages.append(self._take(end))
            rest = self._skip_to_start(bytes(self._buffer[end + 1 :]))
            self._buffer, self._searched = bytearray(rest), 0
        self._searched = len(self._buffer)
        if len(self._buffer) > self._limit + 1:
            self.overflow = bytes(self._buffer[1:_BEGINNING])
            self._buffer, self._searched = bytearray(), 0
        return messages

    def _skip_to_start(self, data: bytes) -> bytes:
        start = data.find(START)
        skipped = data if start < 0 else data[:start]
        self.junk += len(skipped.strip(b"\r\n\x1c"))
        return data[len(skipped) :]

    def _take(self, end: int) -> bytes:
        message = bytes(self._buffer[1:end])
        restart = message.rfind(_RESTART)
        if restart >= 0:
            self.truncated += 1
            message = message[restart + 1 :]
        return message
