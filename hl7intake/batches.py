"""Frames that hold more than one message: several MSH after another, or a batch (FHS BHS … BTS FTS).

Source: HL7 v2.5.1 chapter 2, sections 2.10.3 and 2.15.2 (BHS), 2.15.3 (BTS).
"""

import re
from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
_AROUND = b"\x0b\x1c\r\n\t "
_OTHER_MESSAGE = re.compile(rb"[\r\n]MSH")
_AFTER_RETURN = re.compile(rb"(?:\r\n?|\A)(?=(?:MSH|FHS|BHS|BTS|FTS)[^\w\s])")
_AFTER_ANY = re.compile(rb"(?:[\r\n]+|\A)(?=(?:MSH|FHS|BHS|BTS|FTS)[^\w\s])")
_BATCH_HEADERS = (b"FHS", b"BHS")
_TRAILERS = (b"BTS", b"FTS")


class Frame(NamedTuple):
    """The messages of one frame; ``file_header`` and ``batch_header`` are FHS and BHS, empty outside of a batch."""

    messages: tuple[bytes, ...]
    file_header: bytes = b""
    batch_header: bytes = b""

    @property
    def is_batch(self) -> bool:
        """Whether it is answered by one batch of acknowledgements."""
        return bool(self.file_header or self.batch_header)


def split_frame(raw: bytes) -> Frame:
    """Return the messages in ``raw``; what holds no MSH at all is one (broken) message."""
    if raw.rfind(b"MSH") == 0:
        return Frame((raw,))  # as nearly always
    body = raw.strip(_AROUND).removeprefix(_BOM)
    is_batch = body.startswith(_BATCH_HEADERS)
    if not is_batch and not _OTHER_MESSAGE.search(body):
        return Frame(messages=(raw,))
    # Where CR ends segments, LF is text: a comment must not be able to bring a message of its own.
    boundary = _AFTER_RETURN if b"\r" in body else _AFTER_ANY
    parts = [part for part in boundary.split(body) if part.strip(_AROUND)]
    messages = tuple(part for part in parts if not part.startswith(_BATCH_HEADERS + _TRAILERS))
    if not messages:
        return Frame(messages=(raw,))
    return Frame(
        messages=messages,
        file_header=next((part for part in parts if part.startswith(b"FHS")), b""),
        batch_header=next((part for part in parts if part.startswith(b"BHS")), b""),
    )
