"""The program behind :mod:`hl7intake.validation`: a message on standard input, hl7apy's opinion on standard output.

Needs no Django and is imported by nothing.
"""

import re
import sys

from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

_LONGEST = 500
# What hl7apy quotes may be the value of a field.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|<[^>]*>")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}(?:_[0-9A-Z_]+)?|[0-9.]+")


def opinion(text: str) -> str:
    """Return in one sentence what hl7apy's validation says of ``text``."""
    try:
        parse_message(text, find_groups=True).validate()
    except HL7apyException as error:
        return f"{type(error).__name__}: {_without_values(str(error))}"[:_LONGEST]
    except Exception as error:  # noqa: BLE001 - it crashes on some messages instead of refusing them
        return f"crashed with {type(error).__name__}"
    return "follows the standard's message structure"


def _without_values(text: str) -> str:
    """Return ``text`` without quoted values; names of segments, fields and versions stay."""
    return _QUOTED.sub(lambda match: match.group() if _NAME.fullmatch(match.group()[1:-1]) else "…", text)


if __name__ == "__main__":
    # Line ends are part of a message: text mode would change them.
    sys.stdout.write(opinion(sys.stdin.buffer.read().decode("utf-8", "replace")))
