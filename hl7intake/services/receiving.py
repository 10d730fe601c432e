"""From the bytes of a frame to its answer: nothing is acknowledged before it is committed.

Only the row has to be committed. What the message does to a visit follows, in order for each appointment
(:mod:`hl7intake.services.processing`), so that a sender never waits for our own work.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import Error as DatabaseFailure
from django.db import IntegrityError, connection

from hl7intake import ack
from hl7intake.ack import Verdict
from hl7intake.errors import AckCode, Condition
from hl7intake.models import InboundMessage
from hl7intake.reader import read_header
from hl7intake.services.judging import Acknowledgement, Arrival, Judge, acknowledge
from hl7intake.services.senders import RulesBook, Sender
from hl7intake.services.storing import store

# The first try may lose a connection that the server has closed, or a race against the same message.
_TRIES = 2
_TRY_LATER = Verdict(
    code=AckCode.ERROR,
    text="The message cannot be stored at the moment. Send it again.",
    condition=Condition.INTERNAL,
)

logger = logging.getLogger(__name__)


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
    known, judge = rules.of(arrival.sender.endpoint_id for arrival in arrivals), Judge()
    judged = [judge.judge(arrival, rules=known[arrival.sender.endpoint_id]) for arrival in arrivals]
    store([delivery for one in judged for delivery in one.deliveries])
    return [acknowledge(one) for one in judged]


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
