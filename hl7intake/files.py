"""Messages in files, as people save them."""

import re

_BOM = b"\xef\xbb\xbf"
_AROUND = b"\x0b\x1c\r\n\t "
_START = re.compile(rb"(?:^|(?<=[\r\n\x0b]))(?=MSH[^\w\s])")
_SHORTEST_MSH = 8
_MSH_10 = 9  # the separator itself counts as MSH-1


def split_messages(data: bytes) -> list[bytes]:
    """Return the messages in ``data``, each with its segments ended by CR as they travel.

    A file without any MSH is one (broken) message, so that the listener says what is wrong with it.
    """
    parts = (part.strip(_AROUND) for part in _START.split(data.removeprefix(_BOM)))
    return [_with_returns(part) for part in parts if part]


def _with_returns(message: bytes) -> bytes:
    if b"\r" not in message:
        message = message.replace(b"\n", b"\r")
    return message + b"\r"


def with_control_id(message: bytes, control_id: str) -> bytes:
    """Return ``message`` with ``control_id`` in MSH-10; a message without MSH stays as it is."""
    line, separator, rest = message.partition(b"\r")
    fields = line.split(line[3:4]) if line.startswith(b"MSH") and len(line) > _SHORTEST_MSH else []
    if len(fields) <= _MSH_10:
        return message
    fields[_MSH_10] = control_id.encode("ascii")
    return line[3:4].join(fields) + separator + rest
