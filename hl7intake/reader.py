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
from functools import lru_cache
from typing import NamedTuple, NoReturn

from hl7intake.encoding import NULL, STANDARD, Delimiters, Encoding, decode, encoding_of, part, read_delimiters
from hl7intake.errors import AckCode, Condition, MessageRefused

_BOM = b"\xef\xbb\xbf"
_FRAMING = b"\x0b\x1c"
_AROUND = _FRAMING + b"\r\n\t "
_HEADERS = frozenset({"MSH", "FHS", "BHS"})
_LINE_END = re.compile(rb"[\r\n]")
_LONGEST_HEADER = 8192
_SHORTEST_SEGMENT = 3
_MSH_CHARSET = 17  # MSH-18: the separator itself counts as MSH-1
_MSH_END = 19
_LONGEST_ENVELOPE = 400  # longer ones are not remembered

# A bare LF between CR-terminated segments belongs to its field, unless a segment visibly starts behind it.
_MIXED = re.compile(r"\r\n?|\n(?=[A-Z][A-Z0-9]{2}(?:[^\w\s]|\Z))")
_ANY_BREAK = re.compile(r"[\r\n]+")

_PLAIN = encoding_of(STANDARD, "ascii")


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
    """One message; a segment is made when it is asked for, because few of them are."""

    __slots__ = ("_by_name", "_lines", "_names", "_segments", "encoding")

    def __init__(self, lines: list[str], encoding: Encoding) -> None:
        self.encoding = encoding
        self._lines = lines
        self._names = [line[:3] for line in lines]
        self._by_name: dict[str, list[Segment]] = {}
        self._segments: list[Segment] | None = None

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __repr__(self) -> str:
        return f"<Message of {len(self.segments)} segments>"

    @property
    def segments(self) -> list[Segment]:
        """Every segment, in order; lines that are none are left out."""
        if self._segments is None:
            self._segments = [Segment(line, self.encoding) for line in self._lines if _is_segment(line)]
        return self._segments

    def all(self, name: str) -> list[Segment]:
        """Return every segment with this name of three characters, in order."""
        found = self._by_name.get(name)
        return self._find(name) if found is None else found

    def first(self, name: str) -> Segment:
        """Return the first segment with this name of three characters, or an empty one."""
        found = self._by_name.get(name) or self._find(name)
        return found[0] if found else Segment("", self.encoding)

    def _find(self, name: str) -> list[Segment]:
        names, number = self._names, self._names.count(name)
        if number == 1:  # as nearly always
            found = [Segment(self._lines[names.index(name)], self.encoding)]
        else:
            found = [Segment(line, self.encoding) for line in self._lines if line[:3] == name] if number else []
        self._by_name[name] = found
        return found

    @property
    def charset(self) -> str:
        """The character set the bytes were read with."""
        return self.encoding.charset

    @property
    def delimiters(self) -> Delimiters:
        """The delimiters the message declares."""
        return self.encoding.delimiters


def _is_segment(line: str) -> bool:
    return len(line) >= _SHORTEST_SEGMENT and not (line < "!" and line.isspace())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Envelope:
    """What stands in MSH in message after message of one sender; as sent, cleaned of control characters, cut to size.

    Compared by identity, so that what follows from one can be looked up quickly.
    """

    encoding: Encoding = _PLAIN
    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    message_type: str = ""
    trigger: str = ""
    processing_id: str = ""
    version: str = ""
    accept_acknowledgment: str = ""
    application_acknowledgment: str = ""
    charset: str = ""


class Header(NamedTuple):
    """What an answer needs of MSH."""

    envelope: Envelope = Envelope()
    control_id: str = ""


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
    lines = _lines(text)
    is_plain = delimiters is STANDARD and used == "ascii"  # as nearly always
    message = Message(lines, _PLAIN if is_plain else encoding_of(delimiters, used))
    if len(lines) > limits.segments and len(message.segments) > limits.segments:
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
        encoding = encoding_of(read_delimiters(text), charset)
    except MessageRefused:
        encoding = encoding_of(STANDARD, charset)
    return header_of(Segment(text, encoding), encoding)


def header_of(msh: Segment, encoding: Encoding) -> Header:
    """Return what an answer needs of an MSH segment."""
    fields = msh.raws(2, _MSH_END)
    control_id = fields[8]
    fields[5] = fields[8] = fields[11] = ""  # time, control id and sequence number: every message has its own
    rest = encoding.field.join(fields)
    envelope_of = _envelope_of if len(rest) <= _LONGEST_ENVELOPE else _read_envelope
    return Header(envelope_of(rest, encoding), _clean(control_id))


def _read_envelope(rest: str, encoding: Encoding) -> Envelope:
    """Return what ``rest``, MSH from field 2 on, says of all messages that begin like it."""
    msh = Segment(f"MSH{encoding.field}{rest}", encoding)
    sender, facility, receiver, receiving_facility = map(_clean, msh.raws(3, 7))
    return Envelope(
        encoding=encoding,
        sending_application=sender,
        sending_facility=facility,
        receiving_application=receiver,
        receiving_facility=receiving_facility,
        message_type=_clean(msh.text(9))[:8],
        trigger=_clean(msh.text(9, 2))[:8],
        processing_id=_clean(msh.raw(11)),
        version=_clean(msh.raw(12)),
        accept_acknowledgment=msh.text(15).strip().upper(),
        application_acknowledgment=msh.text(16).strip().upper(),
        charset=_clean(msh.raw(18)),
    )


_envelope_of = lru_cache(maxsize=256)(_read_envelope)


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
