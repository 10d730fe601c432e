"""A second opinion from hl7apy on one message; for people, never for the intake path.

hl7apy takes some 30 ms for a message, refuses the layout of many real senders, and a crafted message of
100 KB keeps it busy for minutes. So its opinion is shown and decides nothing, messages beyond the caps are
not given to it, and it works in a process of its own that is ended when it takes too long. That also keeps
it out of every process that takes messages in.
"""

import subprocess
import sys
from pathlib import Path

MAX_SEGMENTS, MAX_CHARACTERS, MAX_DELIMITERS = 200, 65_536, 4_000
SECONDS = 5.0
_PROGRAM = "hl7intake.validator"
_FOLDER = Path(__file__).resolve().parent.parent


def second_opinion(text: str, *, seconds: float = SECONDS) -> str:
    """Return in one sentence what hl7apy's validation says of ``text``, whose segments end with CR.

    :param seconds: how long it may think.
    """
    if len(text) > MAX_CHARACTERS or text.count("\r") > MAX_SEGMENTS or _delimiters_in(text) > MAX_DELIMITERS:
        return "not asked, the message is too large"
    try:
        finished = subprocess.run(  # noqa: S603 - our own program; the message is its input, not an argument
            [sys.executable, "-m", _PROGRAM],
            input=text.encode(),
            capture_output=True,
            cwd=_FOLDER,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not finished after {seconds:g} seconds"
    if finished.returncode:
        return "not available"
    return finished.stdout.decode("utf-8", "replace").strip()


def _delimiters_in(text: str) -> int:
    return sum(map(text.count, text[3:8]))
