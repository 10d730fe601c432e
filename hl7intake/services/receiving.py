"""From the bytes of a frame to its answer: nothing is acknowledged before it is committed.

Only the row has to be committed. What the message does to a visit follows, in order for each appointment
(:mod:`hl7intake.services.processing`), so that a sender never waits for our own work.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error as DatabaseFailure
from django.db import IntegrityError, connection

from hl7intake import ack
from hl7intake.ack import Verdict
from hl7intake.batches import Frame, split_frame
from hl7intake.errors import AckCode, Condition
from hl7intake.examining import examine
from hl7intake.limits import message_limits
from hl7intake.models import InboundMessage
from hl7intake.reader import Header, Limits, read_header
from hl7intake.rules import Rules
from hl7intake.services.senders import RulesBook, Sender
from hl7intake.services.storing import Delivery, store

# The first try may lose a connection that the server has closed, or a race against the same message.
_TRIES = 2
# No two messages came at the same time: of those that bear the same MSH-7, the later one counts.
_TICK = timedelta(microseconds=1)
_SEVERITY = [AckCode.ACCEPT, AckCode.ERROR, AckCode.REJECT]
_TRY_LATER = Verdict(
    code=AckCode.ERROR,
    text="The message cannot be stored at the moment. Send it again.",
    condition=Condition.INTERNAL,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One frame as it came.

    :param charset: what the transport says the bytes are; None where it says nothing.
    """

    raw: bytes
    sender: Sender
    at: datetime
    transport: str = InboundMessage.Transport.MLLP
    charset: str | None = None


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """What to answer to one frame.

    ``code`` is the verdict, of several messages the worst; ``messages`` are what to send back, in the mode that
    the sender asked for, often one, possibly none. ``state`` is that of the first message, None when nothing
    could be stored.
    """

    code: AckCode
    messages: tuple[bytes, ...]
    state: InboundMessage.State | None = None


def receive(
    raw: bytes,
    *,
    sender: Sender,
    now: datetime,
    transport: str = InboundMessage.Transport.MLLP,
    charset: str | None = None,
) -> Acknowledgement:
    """Store the message, or messages, in ``raw`` and return the answer.

    Never raises for what a sender can do. When the database cannot be reached, the answer is AE: nothing
    was stored, and the sender has to send it again.
    """
    arrival = Arrival(raw=raw, sender=sender, at=now, transport=transport, charset=charset)
    return receive_all([arrival], rules=RulesBook())[0]


def receive_all(arrivals: Sequence[Arrival], *, rules: RulesBook) -> list[Acknowledgement]:
    """Store what came in ``arrivals`` in as few commits as possible and return an answer for each.

    When some of it cannot be stored, everything is tried one by one: only what fails itself is answered AE.
    """
    for attempt in range(_TRIES):
        try:
            return _receive_all(arrivals, rules=rules)
        except (DatabaseFailure, InboundMessage.DoesNotExist) as error:
            # Whether or not the commit arrived, another try is safe: messages are known by their ids.
            _log_failure(error, attempt=attempt)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
    if len(arrivals) > 1 and _is_reachable():
        return [receive_all([arrival], rules=rules)[0] for arrival in arrivals]
    return [refuse(arrival.raw, now=arrival.at) for arrival in arrivals]


def refuse(raw: bytes, *, now: datetime, verdict: Verdict = _TRY_LATER) -> Acknowledgement:
    """Return an answer to a message that is not stored; by default AE: send it again later."""
    return Acknowledgement(code=verdict.code, messages=ack.answers(read_header(raw), verdict, now=now))


def _receive_all(arrivals: Sequence[Arrival], *, rules: RulesBook) -> list[Acknowledgement]:
    known = rules.of(arrival.sender.endpoint_id for arrival in arrivals)
    frames = [split_frame(arrival.raw) for arrival in arrivals]
    deliveries: list[list[Delivery]] = []
    at, limits = arrivals[0].at, message_limits()
    for arrival, frame in zip(arrivals, frames, strict=True):
        at = max(at, arrival.at)
        several = []
        for raw in frame.messages:
            several.append(_delivery(raw, arrival, at=at, rules=known[arrival.sender.endpoint_id], limits=limits))
            at += _TICK
        deliveries.append(several)
    store([delivery for several in deliveries for delivery in several])
    return [
        _answer(several, frame, now=arrival.at)
        for arrival, frame, several in zip(arrivals, frames, deliveries, strict=True)
    ]


def _delivery(raw: bytes, arrival: Arrival, *, at: datetime, rules: Rules | None, limits: Limits) -> Delivery:
    examined = examine(raw, rules=rules, limits=limits, now=at, charset=arrival.charset)
    return Delivery(
        examined=examined, sender=arrival.sender, at=at, transport=arrival.transport, verdict=examined.verdict
    )


def _answer(deliveries: list[Delivery], frame: Frame, *, now: datetime) -> Acknowledgement:
    verdicts = [(one.examined.header, one.verdict) for one in deliveries]
    return Acknowledgement(
        code=max((verdict.code for _, verdict in verdicts), key=_SEVERITY.index),
        messages=_messages(verdicts, frame, now=now),
        state=deliveries[0].state,
    )


def _messages(verdicts: list[tuple[Header, Verdict]], frame: Frame, *, now: datetime) -> tuple[bytes, ...]:
    answers = [answer for header, verdict in verdicts for answer in ack.answers(header, verdict, now=now)]
    return (ack.batch_answer(frame, answers, now=now),) if frame.is_batch else tuple(answers)


def _is_reachable() -> bool:
    try:
        connection.ensure_connection()
    except DatabaseFailure:
        return False
    return bool(connection.is_usable())


def _log_failure(error: Exception, *, attempt: int) -> None:
    # Only the type: an error's text may quote the message.
    is_race = isinstance(error, (IntegrityError, InboundMessage.DoesNotExist))
    level = logging.INFO if is_race else logging.ERROR
    logger.log(level, "message not stored", extra={"error": type(error).__name__, "attempts": attempt})
