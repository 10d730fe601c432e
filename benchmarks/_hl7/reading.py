"""How fast a message is read: ours, a bare split, python-hl7 and hl7apy, each taking the same fields."""

import time
from collections.abc import Callable
from typing import Any

import hl7
from hl7apy.parser import parse_message

from benchmarks._hl7.message import message
from benchmarks.harness import Row
from hl7intake.reader import read

# What the intake needs of the message: field and component, by segment.
FIELDS = {
    "MSH": ((3, 1), (4, 1), (7, 1), (9, 1), (9, 2), (10, 1), (12, 1), (18, 1)),
    "SCH": ((1, 1), (2, 1), (6, 1), (8, 1), (9, 1), (10, 1), (11, 4), (11, 5)),
    "TQ1": ((7, 1),),
    "PID": ((3, 1), (15, 1)),
    "PV1": ((3, 1), (19, 1)),
    "NTE": ((3, 1),),
    "AIS": ((3, 1), (4, 1)),
    "AIL": ((3, 1),),
    "AIP": ((3, 1), (6, 1)),
}
_BYTES = {name.encode(): [(number - (name == "MSH"), part - 1) for number, part in FIELDS[name]] for name in FIELDS}
_SECONDS = 2.0
_SLOW_SECONDS = 4.0


class ReadersDisagree(Exception):
    """Two readers took different values, so their rates mean nothing."""


def ours(raw: bytes) -> list[str]:
    """Read with the product's own reader, every telephone number included."""
    taken = read(raw)
    values = []
    for name, fields in FIELDS.items():
        text = taken.first(name).text
        for number, component in fields:
            values.append(text(number, component))
    values += [phone.text(7) for phone in taken.first("PID").repetitions(13)]
    return values


def bare(raw: bytes) -> list[str]:
    """Split at the delimiters everybody uses and check nothing: as fast as this language can be."""
    segments: dict[bytes, list[bytes]] = {}
    for line in raw.split(b"\r"):
        segments.setdefault(line[:3], line.split(b"|"))
    values = []
    for name, fields in _BYTES.items():
        segment = segments[name]
        for number, component in fields:
            value = segment[number] if number < len(segment) else b""
            if b"~" in value:
                value = value.split(b"~", 1)[0]
            if b"^" in value:
                parts = value.split(b"^")
                value = parts[component] if component < len(parts) else b""
            elif component:
                value = b""
            if b"\\" in value:
                value = value.replace(b"\\T\\", b"&").replace(b"\\S\\", b"^")
            values.append(value.decode())
    phones = [phone.split(b"^") for phone in segments[b"PID"][13].split(b"~")]
    values += [parts[6].decode() if len(parts) > 6 else "" for parts in phones]  # noqa: PLR2004 - XTN-7
    return values


def python_hl7(raw: bytes) -> list[str]:
    """Read with python-hl7."""
    parsed = hl7.parse(raw.decode("latin-1"))
    values = []
    for name, fields in FIELDS.items():
        for number, component in fields:
            try:
                values.append(parsed.unescape(parsed.extract_field(name, 1, number, 1, component, 1)))
            except LookupError:
                values.append("")
    return values


def hl7apy(raw: bytes) -> list[str]:
    """Read with hl7apy, tolerant."""
    parsed: Any = parse_message(raw.decode("latin-1"), find_groups=False)
    values = []
    for name, fields in FIELDS.items():
        segment = getattr(parsed, name.lower())
        for number, _ in fields:
            values.append(getattr(segment[0], f"{name}_{number}".lower()).value)
    return values


def rate(reader: Callable[[bytes], list[str]], *, seconds: float = _SECONDS) -> float:
    """Return how many messages ``reader`` reads in a second of processor time; the best of five rounds."""
    raws = [message(number) for number in range(50)]
    reader(raws[0])
    best = 0.0
    for _ in range(5):
        count, started = 0, time.process_time()
        while (spent := time.process_time() - started) < seconds / 5:
            for raw in raws[: 1 if reader is hl7apy else 50]:
                reader(raw)
                count += 1
        best = max(best, count / spent)
    return best


def measure() -> list[Row]:
    """Return the rates, each with ours as ratio."""
    if ours(message(1)) != bare(message(1)):
        raise ReadersDisagree
    mine, split = rate(ours), rate(bare)
    other, slow = rate(python_hl7), rate(hl7apy, seconds=_SLOW_SECONDS)
    unit = "messages/s of one core"
    return [
        Row(metric="reader with all needed fields", value=mine, unit=unit),
        Row(metric="reader / bare split", value=mine / split, unit="x", target=0.5, at_least=True),
        Row(metric="reader / python-hl7", value=mine / other, unit="x", target=20, at_least=True),
        Row(metric="reader / hl7apy tolerant", value=mine / slow, unit="x", target=500, at_least=True),
    ]
