r"""Reads HL7 v2 messages: bytes in, segments out, components on demand.

Standard library only, because this is the path every message takes. Nothing is taken apart before it
is asked for, and limits are checked before anything is split::

    message = read(raw)
    message.first("SCH").text(11, component=4)              # '20260921140000'
    for resource in message.all("AIP"):
        resource.text(3)                                    # '1180'
    for phone in message.first("PID").repetitions(13):
        phone.text(3)                                       # 'CP'

An absent segment, field or component reads as '' and an absent segment is false.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from hl7intake.encoding import NULL, Delimiters, Encoding, decode, encoding_of, part, read_delimiters
from hl7intake.errors import AckCode, Condition, MessageRefused

_BOM = b"\xef\xbb\xbf"
_FRAMING = b"\x0b\x1c"
_AROUND = _FRAMING + b"\r\n\t "
_HEADERS = frozenset({"MSH", "FHS", "BHS"})
_LINE_END = re.compile(rb"[\r\n]")
_LONGEST_HEADER = 8192
_SHORTEST_SEGMENT = 3
_MSH_CHARSET = 17  # MSH-18: the separator itself counts as MSH-1

# A bare LF between CR-terminated segments belongs to its field, unless a segment visibly starts behind it.
_MIXED = re.compile(r"\r\n?|\n(?=[A-Z][A-Z0-9]{2}(?:[^\w\s]|\Z))")
_ANY_BREAK = re.compile(r"[\r\n]+")

_PLAIN = Encoding(Delimiters(), "ascii")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a message may have at most; checked before it is taken apart."""

    bytes: int = 1_048_576
    segments: int = 2_000
    repetitions: int = 10_000


DEFAULT_LIMITS = Limits()


class Repetition:
    """One repetition of a field."""

    __slots__ = ("_encoding", "raw")

    def __init__(self, raw: str, encoding: Encoding) -> None:
        self.raw = raw
        self._encoding = encoding

    @property
    def is_null(self) -> bool:
        """Whether the sender deletes the value: ``""``."""
        return self.raw == NULL

    def text(self, component: int = 1, *, subcomponent: int = 1) -> str:
        """Return a component, decoded; '' when absent or null."""
        return self._encoding.text(self.raw, component, subcomponent)


class Segment:
    """One segment; fields count from 1 as in the standard, also in MSH."""

    __slots__ = ("_encoding", "_fields", "_line", "name")

    def __init__(self, line: str, encoding: Encoding) -> None:
        self.name = line[:3]
        self._line = line
        self._encoding = encoding
        self._fields: list[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._line)

    def __repr__(self) -> str:
        return f"<Segment {self.name}>"  # never its content: a repr ends up in logs

    def raw(self, number: int) -> str:
        """Return a field as sent, escape sequences and all repetitions included; '' when absent."""
        fields = self._fields or self._split()
        return fields[number] if 0 < number < len(fields) else ""

    def raws(self, start: int, stop: int) -> list[str]:
        """Return the fields from ``start`` up to, not including, ``stop`` as sent; '' for each absent one."""
        found = (self._fields or self._split())[start:stop]
        return found + [""] * (stop - start - len(found))

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Return a part of a field's first repetition, decoded; '' when absent or null."""
        fields = self._fields or self._split()
        value = fields[number] if 0 < number < len(fields) else ""
        if value.isalnum():  # most values: no delimiter, escape sequence or null can be in it
            return value if component == subcomponent == 1 else ""
        if not value:
            return ""
        encoding = self._encoding
        if encoding.repetition in value:
            value = value.partition(encoding.repetition)[0]
        if encoding.component in value:
            pieces = value.split(encoding.component, component)
            value = pieces[component - 1] if len(pieces) >= component else ""
            if value.isalnum():
                return value if subcomponent == 1 else ""
        elif component != 1:
            return ""
        return encoding.subtext(value, subcomponent)

    def is_null(self, number: int) -> bool:
        """Whether the sender deletes the field: ``""``."""
        return self.raw(number) == NULL

    def repetitions(self, number: int) -> list[Repetition]:
        """Return every repetition of a field; none when it is empty."""
        value = self.raw(number)
        if not value:
            return []
        return [Repetition(one, self._encoding) for one in value.split(self._encoding.repetition)]

    def _split(self) -> list[str]:
        separator = self._encoding.field
        fields = self._line.split(separator)
        if self.name in _HEADERS:
            fields.insert(1, separator)
        self._fields = fields
        return fields


class Message:
    """One message, split into segments."""

    __slots__ = ("_by_name", "encoding", "segments")

    def __init__(self, lines: list[str], encoding: Encoding) -> None:
        self.encoding = encoding
        self.segments: list[Segment] = []
        self._by_name: dict[str, list[Segment]] = {}
        keep = self.segments.append
        for line in lines:
            if len(line) < _SHORTEST_SEGMENT or (line < "!" and line.isspace()):
                continue
            segment = Segment(line, encoding)
            keep(segment)
            if segment.name in self._by_name:
                self._by_name[segment.name].append(segment)
            else:
                self._by_name[segment.name] = [segment]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __repr__(self) -> str:
        return f"<Message of {len(self.segments)} segments>"

    def all(self, name: str) -> list[Segment]:
        """Return every segment called ``name``, in order."""
        return self._by_name.get(name, [])

    def first(self, name: str) -> Segment:
        """Return the first segment called ``name``, or an empty one."""
        found = self._by_name.get(name)
        return found[0] if found else Segment("", self.encoding)

    @property
    def charset(self) -> str:
        """The character set the bytes were read with."""
        return self.encoding.charset

    @property
    def delimiters(self) -> Delimiters:
        """The delimiters the message declares."""
        return self.encoding.delimiters


class Header(NamedTuple):
    """What an answer needs of MSH; fields as sent, cleaned of control characters and cut to size."""

    encoding: Encoding = _PLAIN
    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    message_type: str = ""
    trigger: str = ""
    control_id: str = ""
    processing_id: str = ""
    version: str = ""
    accept_acknowledgment: str = ""
    application_acknowledgment: str = ""
    charset: str = ""


def read(
    raw: bytes, *, limits: Limits = DEFAULT_LIMITS, charset: str | None = None, fallback: str = "cp1252"
) -> Message:
    """Take a message apart.

    :param charset: what the transport says the bytes are; wins over MSH-18.
    :param fallback: the sender's character set for bytes that are neither as declared nor UTF-8.
    :raises MessageRefused: ``hl7.too_long``, ``hl7.no_header``, ``hl7.nul``, ``hl7.delimiters``,
        ``hl7.too_many_segments``, ``hl7.too_many_repetitions`` or ``hl7.several_messages``; always AR.
    """
    if len(raw) > limits.bytes:
        _reject("hl7.too_long", f"The message is longer than {limits.bytes} bytes.")
    body = _unwrap(raw)
    _check_start(body)
    if body.isascii():
        text, used = body.decode("ascii"), "ascii"
    else:
        text, used = decode(body, declared=_declared(body) if charset is None else charset, fallback=fallback)
    delimiters = read_delimiters(text)
    _check_counts(text, delimiters, limits)
    message = Message(_lines(text), encoding_of(delimiters, used))
    if len(message.segments) > limits.segments:
        _reject_segments(limits)
    if len(message.all("MSH")) > 1:
        _reject("hl7.several_messages", "Send one message in each frame.", condition=Condition.SEGMENT_SEQUENCE)
    return message


def read_header(raw: bytes) -> Header:
    """Return what can be read of MSH, for answering a message that :func:`read` refused; never raises."""
    line = _LINE_END.split(_unwrap(raw[:_LONGEST_HEADER]), maxsplit=1)[0].replace(b"\0", b"")
    if not line.startswith(b"MSH"):
        return Header()
    text, charset = decode(line, declared=_declared(line), fallback="cp1252")
    try:
        encoding = Encoding(read_delimiters(text), charset)
    except MessageRefused:
        encoding = Encoding(Delimiters(), charset)
    return header_of(Segment(text, encoding), encoding)


def header_of(msh: Segment, encoding: Encoding) -> Header:
    """Return what an answer needs of an MSH segment."""
    text = msh.text
    sender, facility, receiver, receiving_facility = map(_clean, msh.raws(3, 7))
    control_id, processing_id, version = map(_clean, msh.raws(10, 13))
    return Header(
        encoding,
        sender,
        facility,
        receiver,
        receiving_facility,
        _clean(text(9))[:8],
        _clean(text(9, 2))[:8],
        control_id,
        processing_id,
        version,
        text(15).strip().upper(),
        text(16).strip().upper(),
        _clean(msh.raw(18)),
    )


def _clean(value: str) -> str:
    value = value[:200]
    return value if value.isprintable() else "".join(character for character in value if character.isprintable())


def _unwrap(raw: bytes) -> bytes:
    """Take away what transports and editors leave around and between segments."""
    if raw[:1] == b"M" and raw[-1:] == b"\r" and b"\x0b" not in raw and b"\x1c" not in raw:
        return raw
    return raw.translate(None, _FRAMING).strip(_AROUND).removeprefix(_BOM).strip(_AROUND)


def _check_start(body: bytes) -> None:
    if body[:3] == b"MSH" and b"\0" not in body:
        return
    if b"\0" in body or body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        _reject("hl7.nul", "The message holds NUL bytes; send it in UTF-8 or an 8-bit character set.")
    if body[:3] in {b"FHS", b"BHS"}:
        _reject(
            "hl7.several_messages",
            "Batches are not accepted; send one message in each frame.",
            condition=Condition.SEGMENT_SEQUENCE,
        )
    _reject("hl7.no_header", "The message does not start with MSH.", condition=Condition.SEGMENT_SEQUENCE)


def _check_counts(text: str, delimiters: Delimiters, limits: Limits) -> None:
    """Refuse before splitting what would fall into too many parts; short texts cannot."""
    if len(text) > limits.repetitions and text.count(delimiters.repetition) > limits.repetitions:
        _reject("hl7.too_many_repetitions", f"The message has more than {limits.repetitions} repetitions.")
    if len(text) > 2 * limits.segments and text.count("\r") + text.count("\n") > 2 * limits.segments:
        _reject_segments(limits)


def _declared(body: bytes) -> str:
    """Return MSH-18, read before the character set is known: its values are ASCII."""
    if body.isascii():
        return ""
    line = _LINE_END.split(body, maxsplit=1)[0]
    fields = line.split(body[3:4], _MSH_CHARSET + 1) if len(body) > 3 else []  # noqa: PLR2004 - "MSH"
    if len(fields) <= _MSH_CHARSET:
        return ""
    return part(fields[_MSH_CHARSET].decode("ascii", "replace"), "~", 1)


def _end_of_line(text: str) -> int:
    ends = [end for end in (text.find("\r"), text.find("\n")) if end >= 0]
    return min(ends, default=len(text))


def _lines(text: str) -> list[str]:
    if "\n" not in text:
        lines = text.split("\r")
    elif "\r" not in text:
        lines = text.split("\n")
    elif text[_end_of_line(text)] == "\n":
        lines = _ANY_BREAK.split(text)
    else:
        lines = [line.lstrip("\n") for line in _MIXED.split(text)]
    return lines


def _reject(code: str, reason: str, *, condition: Condition = Condition.DATA_TYPE) -> NoReturn:
    raise MessageRefused(code, reason, condition=condition, location="MSH", acknowledgment=AckCode.REJECT)


def _reject_segments(limits: Limits) -> NoReturn:
    _reject("hl7.too_many_segments", f"The message has more than {limits.segments} segments.")
