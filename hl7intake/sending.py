"""Send messages one after another at a wanted rate, and count what is answered."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.errors import UpstreamRejected
from hl7intake.client import MllpClient
from hl7intake.errors import MessageRefused
from hl7intake.reader import Message, read, read_header

ACCEPTED = frozenset({"AA", "CA"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the listener said to one message.

    :param code: MSA-1.
    :param control_id: MSA-2, the control id of the message.
    :param text: MSA-3, or what ERR-8 says.
    :param seconds: from the first byte sent to the last byte received.
    """

    code: str
    control_id: str
    text: str
    seconds: float

    @property
    def is_accepted(self) -> bool:
        """Whether the message needs not be sent again."""
        return self.code in ACCEPTED


@dataclass
class Tally:
    """What was answered so far."""

    codes: "Counter[str]" = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many messages were answered."""
        return len(self.seconds)

    @property
    def is_all_accepted(self) -> bool:
        """Whether no message was refused."""
        return self.codes.keys() <= ACCEPTED

    def note(self, answer: Answer) -> None:
        """Count one answer."""
        self.codes[answer.code] += 1
        self.seconds.append(answer.seconds)

    def worded_codes(self) -> str:
        """Return how often each code was answered: ``12 AA, 1 AR``."""
        return ", ".join(f"{number:,} {code}" for code, number in sorted(self.codes.items()))

    def milliseconds_at(self, share: float) -> float:
        """Return within how many milliseconds that ``share`` of the answers came (0.5: the median)."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def send_all(
    client: MllpClient,
    messages: Iterable[tuple[str, bytes]],
    *,
    rate: float,
    on_answer: Callable[[str, Answer], None],
) -> None:
    """Send every named message, each after the answer to the one before.

    :param rate: messages a second at most; 0 is as fast as they are answered.
    :param on_answer: told the name and the answer.
    :raises UpstreamUnavailable: ``mllp.no_answer`` when the connection ends.
    :raises UpstreamRejected: ``mllp.not_hl7`` when an answer is no acknowledgement.
    """
    started = time.monotonic()
    previous = ""
    for number, (name, message) in enumerate(messages):
        if rate > 0:
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
        control_id = read_header(message).control_id
        on_answer(name, send_one(client, message, previous=previous if previous != control_id else ""))
        previous = control_id


def send_one(client: MllpClient, message: bytes, *, previous: str = "") -> Answer:
    """Send one message and return its answer; raises as :func:`send_all` does.

    :param previous: control id of the message before, whose second answer (in enhanced mode) may still come.
    """
    started = time.perf_counter()
    answer = _read(client.send(message))
    while previous and answer.first("MSA").raw(2) == previous:
        answer = _read(client.receive())
    msa, err = answer.first("MSA"), answer.first("ERR")
    return Answer(
        code=msa.text(1),
        control_id=msa.text(2),
        text=msa.text(3) or err.text(8) or err.text(3),
        seconds=time.perf_counter() - started,
    )


def _read(raw: bytes) -> Message:
    try:
        return read(raw)
    except MessageRefused as error:
        raise UpstreamRejected("mllp.not_hl7", "The listener's answer is no HL7 message.") from error
