"""Where hl7apy can read a message too, both readers agree."""

import random

import pytest
from hl7apy.parser import parse_message

from hl7intake.reader import read
from tests.hl7intake import messages

_NAMES = ("PID", "PV1", "SCH", "AIS", "AIP", "AIL", "NTE")
_MOST_FIELDS = {"PID": 30, "PV1": 30, "SCH": 25, "AIS": 10, "AIP": 10, "AIL": 10, "NTE": 3}
# No empty parts inside of a field: hl7apy shifts what follows where there are more than the type allows. And
# no hexadecimal escapes: hl7apy does not know them and writes them back in another way.
_TEXTS = ("A", "1180", "OKAFOR", 'x y"', r"a\T\b", r"\S\\F\ end", "Zoë", "20260921140000")


def random_message(seed: int) -> str:
    """Return a message of well-formed segments with fields of every shape."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def component() -> str:
        return "&".join(chance.choice(_TEXTS) for _ in range(chance.choice((1, 1, 1, 2))))

    def field() -> str:
        repetitions = ("^".join(component() for _ in range(chance.randint(1, 4))) for _ in range(chance.randint(1, 2)))
        return "" if chance.random() < 0.4 else "~".join(repetitions)

    lines = ["MSH|^~\\&|EPIC|LAMNA|X|Y|20260914103012||SIU^S12|1|T|2.5"]
    for _ in range(chance.randint(2, 8)):
        name = chance.choice(_NAMES)
        fields = [field() for _ in range(chance.randint(1, _MOST_FIELDS[name]))]
        lines.append("|".join([name, *fields]))
    return "\r".join(lines) + "\r"


def by_hl7apy(text: str) -> list[tuple[str, int, list[str]]]:
    found = []
    for segment in parse_message(text, find_groups=False).children:
        for number in range(1, _MOST_FIELDS.get(segment.name, 0) + 1):
            repetitions = getattr(segment, f"{segment.name}_{number}".lower())
            values = [one.to_er7() for one in repetitions]
            if any(values):
                found.append((segment.name, number, values))
    return found


def by_us(text: str) -> list[tuple[str, int, list[str]]]:
    found = []
    for segment in read(text.encode()):
        for number in range(1, _MOST_FIELDS.get(segment.name, 0) + 1):
            values = [one.raw for one in segment.repetitions(number)]
            if any(values):
                found.append((segment.name, number, values))
    return found


def trimmed(found: list[tuple[str, int, list[str]]]) -> list[tuple[str, int, list[str]]]:
    """Return the same without delimiters at the end of a part, which mean nothing and which hl7apy drops."""

    def trim(value: str) -> str:
        components = ["&".join(component.split("&")).rstrip("&") for component in value.split("^")]
        return "^".join(components).rstrip("^")

    return [(name, number, [trim(value) for value in values]) for name, number, values in found]


@pytest.mark.parametrize("name", messages.NAMES)
def test_the_fixtures_are_read_alike(name):
    text = messages.load(name).decode()
    assert trimmed(by_us(text)) == trimmed(by_hl7apy(text))


@pytest.mark.parametrize("seed", range(40))
def test_random_messages_are_read_alike(seed):
    text = random_message(seed)
    assert trimmed(by_us(text)) == trimmed(by_hl7apy(text))
