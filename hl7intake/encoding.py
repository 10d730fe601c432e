"""How the bytes of a message become text: delimiters, character set and escape sequences.

Standard library only. Source: HL7 v2.5.1 chapter 2, sections 2.5.4 (delimiters), 2.7 (escape
sequences) and 2.15.9.18 (MSH-18, table 0211).
"""

import re
from functools import lru_cache
from typing import NamedTuple, NoReturn

from hl7intake.errors import AckCode, Condition, MessageRefused

# "" as a whole value: the sender deletes what we have. An empty field says nothing.
NULL = '""'

_CHARSETS = {
    "ASCII": "",  # so many senders leave the default while writing something else that it decides nothing
    "": "",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    "ISO-8859-1": "iso8859-1",
    **{f"ISO8859-{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},  # as we note it ourselves
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}

_LONGEST_DECLARATION = 12
_LONGEST_FILL = 40  # \.sp9999999\ must not become ten million lines


class Delimiters(NamedTuple):
    """The characters that MSH-1 and MSH-2 declare; ``truncation`` only where a fifth one is sent."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""


STANDARD = Delimiters()
_STANDARD_START = "MSH|^~\\&|"


def read_delimiters(msh: str) -> Delimiters:
    """Return the delimiters that an MSH segment declares.

    :raises MessageRefused: when there are not four or five, all different and none of them a letter,
        digit or space.
    """
    if msh.startswith(_STANDARD_START):
        return STANDARD
    field = msh[3:4]
    declared = msh[4:_LONGEST_DECLARATION].partition("\r")[0].partition("\n")[0]
    return _checked(field, declared.partition(field)[0] if field else "")


@lru_cache(maxsize=16)
def _checked(field: str, characters: str) -> Delimiters:
    if len(characters) not in (4, 5):
        _refuse_delimiters("MSH-2 must hold four or five delimiters, usually ^~\\&.")
    every = field + characters
    if len(set(every)) != len(every):
        _refuse_delimiters("The delimiters in MSH-1 and MSH-2 must all be different.")
    if not every.isascii() or not every.isprintable() or " " in every or any(c.isalnum() for c in every):
        _refuse_delimiters("The delimiters in MSH-1 and MSH-2 must be punctuation marks.")
    return Delimiters(field, *characters)


def _refuse_delimiters(reason: str) -> NoReturn:
    raise MessageRefused(
        "hl7.delimiters",
        reason,
        condition=Condition.DATA_TYPE,
        location="MSH^1^2",
        acknowledgment=AckCode.REJECT,
    )


def decode(raw: bytes, *, declared: str, fallback: str) -> tuple[str, str]:
    """Return the text of ``raw`` and the character set it was read with.

    :param declared: MSH-18, or the charset of an HTTP header; believed only if the bytes agree.
    :param fallback: the sender's own, for bytes that are neither as declared nor UTF-8.
    """
    if raw.isascii():
        return raw.decode("ascii"), "ascii"
    for charset in (_CHARSETS.get(declared.strip().upper(), ""), "utf-8", fallback):
        if charset:
            try:
                return raw.decode(charset), charset
            except UnicodeDecodeError:
                continue
    # Every byte has a meaning here, and different bytes keep different meanings.
    return raw.decode("iso8859-1"), "iso8859-1"


class Encoding:
    """Takes one value apart: repetition, component, subcomponent, then the escape sequences."""

    __slots__ = (
        "_characters",
        "_escapes",
        "charset",
        "component",
        "delimiters",
        "escape_mark",
        "field",
        "repetition",
        "subcomponent",
    )

    def __init__(self, delimiters: Delimiters, charset: str) -> None:
        self.delimiters = delimiters
        self.charset = charset
        self._characters = {
            "F": delimiters.field,
            "S": delimiters.component,
            "T": delimiters.subcomponent,
            "R": delimiters.repetition,
            "E": delimiters.escape,
            "P": delimiters.truncation or "#",
            "H": "",  # H and N switch highlighting on and off
            "N": "",
        }
        self.field, self.component, self.repetition, self.escape_mark, self.subcomponent, _ = delimiters
        self._escapes = _escapes_of(delimiters.escape)

    def text(self, value: str, component: int, subcomponent: int) -> str:
        """Return one part of a repetition's raw ``value`` decoded; '' when absent or null.

        Parts count from 1. A value without the delimiter is its own first part.
        """
        if not value:
            return ""
        if self.component in value:
            pieces = value.split(self.component, component)
            value = pieces[component - 1] if len(pieces) >= component else ""
        elif component != 1:
            return ""
        return self.subtext(value, subcomponent)

    def subtext(self, value: str, subcomponent: int) -> str:
        """Return one subcomponent of a component's raw ``value`` decoded; '' when absent or null."""
        if self.subcomponent in value:
            pieces = value.split(self.subcomponent, subcomponent)
            value = pieces[subcomponent - 1] if len(pieces) >= subcomponent else ""
        elif subcomponent != 1:
            return ""
        if value == NULL:
            return ""
        return self.unescape(value) if self.escape_mark in value else value

    def unescape(self, value: str) -> str:
        r"""Return ``value`` with its escape sequences replaced; unknown ones (``\Zxx\``) stay as sent."""
        pieces = value.split(self.escape_mark)
        if len(pieces) % 2:
            # As nearly always, every second piece is the letter of a sequence.
            try:
                pieces[1::2] = [self._characters[letter] for letter in pieces[1::2]]
            except KeyError:
                return self._escapes.sub(self._replace, value)
            return "".join(pieces)
        return self._escapes.sub(self._replace, value)

    def escape(self, value: str) -> str:
        """Return ``value`` fit to stand in a field: delimiters escaped, control characters gone."""
        delimiters = self.delimiters
        named = {
            delimiters.escape: "E",
            delimiters.field: "F",
            delimiters.component: "S",
            delimiters.repetition: "R",
            delimiters.subcomponent: "T",
        }
        mark = delimiters.escape
        return "".join(
            f"{mark}{named[character]}{mark}" if character in named else character
            for character in value
            if character.isprintable()
        )

    def _replace(self, match: "re.Match[str]") -> str:
        name, hexadecimal, command, count = match.group("name", "hex", "command", "count")
        if hexadecimal:
            return self._from_hex(hexadecimal) or match.group()
        if command:
            return _formatted(command, count)
        return self._characters[name]

    def _from_hex(self, digits: str) -> str:
        """Return the characters that ``digits`` stand for, or '' if they are none we may keep."""
        if len(digits) % 2:
            return ""
        raw = bytes.fromhex(digits)
        if b"\0" in raw:
            return ""
        try:
            return raw.decode(self.charset)
        except UnicodeDecodeError:
            return raw.decode("iso8859-1")


@lru_cache(maxsize=64)
def encoding_of(delimiters: Delimiters, charset: str) -> Encoding:
    """Return the one :class:`Encoding` for these delimiters and character set."""
    return Encoding(delimiters, charset)


def part(value: str, separator: str, number: int) -> str:
    """Return the ``number``-th piece of ``value``, counted from 1; '' when there are fewer."""
    if separator not in value:
        return value if number == 1 else ""
    pieces = value.split(separator, number)
    return pieces[number - 1] if len(pieces) >= number else ""


@lru_cache(maxsize=16)
def _escapes_of(mark: str) -> "re.Pattern[str]":
    mark = re.escape(mark)
    return re.compile(
        rf"{mark}(?:(?P<name>[FSTREPHN])|X(?P<hex>[0-9A-Fa-f]+)"
        rf"|\.(?P<command>br|sp|sk|ce|fi|nf|in|ti)(?P<count>[+-]?[0-9]*)){mark}"
    )


def _formatted(command: str, count: str) -> str:
    number = min(int(count[-3:]) if count[-3:].isdigit() else 1, _LONGEST_FILL)
    if command in {"br", "ce"}:
        return "\n"
    return {"sp": "\n", "sk": " "}.get(command, "") * number
