"""Messages as they come out of broken wires, converters and hands; the same ones for the same seed."""

import random
from collections.abc import Iterator

from tests.hl7intake.messages import NAMES, load

_DELIMITERS = b"|^~\\&\r\n"


def mutations(number: int, *, seed: int = 20260914) -> Iterator[bytes]:
    """Return so many mutated messages."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    originals = [load(name) for name in NAMES]
    for _ in range(number):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            chance.choice((_flip, _cut, _double, _insert, _swap, _drop_field))(raw, chance)
        yield bytes(raw)


def _flip(raw: bytearray, chance: random.Random) -> None:
    if raw:
        raw[chance.randrange(len(raw))] = chance.randrange(256)


def _cut(raw: bytearray, chance: random.Random) -> None:
    if chance.random() < 0.5:
        del raw[chance.randrange(len(raw) + 1) :]
    else:
        start = chance.randrange(len(raw) + 1)
        del raw[start : start + chance.randrange(40)]


def _double(raw: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(raw) + 1)
    raw[start:start] = raw[start : start + chance.randrange(200)]


def _insert(raw: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(raw) + 1)
    raw[place:place] = bytes(chance.choice(_DELIMITERS) for _ in range(chance.randint(1, 6)))


def _swap(raw: bytearray, chance: random.Random) -> None:
    lines = bytes(raw).split(b"\r")
    chance.shuffle(lines)
    raw[:] = b"\r".join(lines)


def _drop_field(raw: bytearray, chance: random.Random) -> None:
    fields = bytes(raw).split(b"|")
    del fields[chance.randrange(len(fields))]
    raw[:] = b"|".join(fields)
