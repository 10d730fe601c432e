"""From the bytes of a frame to a verdict on each message in it, and from there to the answer.

Pure: no database, and no clock but the arrival's. Between the two the messages have to be stored
(:mod:`hl7intake.services.storing`).
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from core.models import new_ids
from hl7intake import ack
from hl7intake.batches import Frame, split_frame
from hl7intake.errors import AckCode
from hl7intake.examining import examine
from hl7intake.limits import message_limits
from hl7intake.models import InboundMessage
from hl7intake.rules import Rules
from hl7intake.services.senders import Sender
from hl7intake.services.storing import Delivery

# No two messages came at the same time: of those that bear the same MSH-7, the later one counts.
_TICK = timedelta(microseconds=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SEVERITY = [AckCode.ACCEPT, AckCode.ERROR, AckCode.REJECT]


class Arrival(NamedTuple):
    """One frame as it came.

    :param charset: what the transport says the bytes are; None where it says nothing.
    """

    raw: bytes
    sender: Sender
    at: datetime
    transport: str = InboundMessage.Transport.MLLP.value
    charset: str | None = None


class Judged(NamedTuple):
    """One frame taken apart, with a verdict on each of its messages; nothing is stored yet."""

    arrival: Arrival
    frame: Frame
    deliveries: list[Delivery]


class Acknowledgement(NamedTuple):
    """What to answer to one frame.

    ``code`` is the verdict, of several messages the worst; ``messages`` are what to send back, in the mode that
    the sender asked for, often one, possibly none. ``state`` is that of the first message, None when nothing
    could be stored.
    """

    code: AckCode
    messages: tuple[bytes, ...]
    state: InboundMessage.State | None = None


class Judge:
    """Judges frames in the order in which they came, and gives each message a time of arrival of its own."""

    def __init__(self) -> None:
        self._last = _LONG_AGO
        self._ids = new_ids()
        self._limits = message_limits()

    def judge(self, arrival: Arrival, *, rules: Rules | None) -> Judged:
        """Take a frame apart; never raises for what a sender can write.

        :param rules: the sender's; None when nothing was ever approved for it.
        """
        frame = split_frame(arrival.raw)
        return Judged(arrival, frame, [self._delivery(raw, arrival, rules=rules) for raw in frame.messages])

    def _delivery(self, raw: bytes, arrival: Arrival, *, rules: Rules | None) -> Delivery:
        at = arrival.at if arrival.at > self._last else self._last + _TICK
        self._last = at
        examined = examine(raw, rules=rules, limits=self._limits, now=at, charset=arrival.charset)
        return Delivery(next(self._ids), examined, arrival.sender, at, arrival.transport, examined.verdict)


def acknowledge(judged: Judged) -> Acknowledgement:
    """Return what to answer to a frame whose messages are stored."""
    now, deliveries = judged.arrival.at, judged.deliveries
    if len(deliveries) == 1 and not judged.frame.is_batch:  # as nearly always
        one = deliveries[0]
        messages = ack.answers(one.examined.header, one.verdict, now=now)
        return Acknowledgement(one.verdict.code, messages, one.state)
    return Acknowledgement(
        code=max((one.verdict.code for one in deliveries), key=_SEVERITY.index),
        messages=_messages(judged, now=now),
        state=deliveries[0].state,
    )


def _messages(judged: Judged, *, now: datetime) -> tuple[bytes, ...]:
    answers = [answer for one in judged.deliveries for answer in ack.answers(one.examined.header, one.verdict, now=now)]
    return (ack.batch_answer(judged.frame, answers, now=now),) if judged.frame.is_batch else tuple(answers)
