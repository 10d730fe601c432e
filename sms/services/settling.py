"""Find out what became of texts whose answer never came; none is sent again before that is known.

A text is unknown when its call was not answered or its worker died. A supplier that recognises our key is
asked with it; another one is asked for its list, and only a text that is missing there twice, a minute apart,
goes out again. The question is about the text as it was handed over: that number, that supplier, those words,
whatever has been approved since. A receipt may settle it at any time before.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import models, transaction

from core.errors import ConfigurationError, ConnectorError
from sms.models import SmsMessage
from sms.providers.base import Acceptance, OutgoingText, SmsProvider
from sms.services import metering
from sms.services.preparing import Batch, NotNow, NotToBeSent, Ready, recorded_way
from sms.services.sending import clock_from, text_of

BATCH = 200
PARALLEL = 16
ASK_AGAIN = timedelta(seconds=60)
CHECKS = 2
# Azure does not say how long it remembers a request id; an hour is what its other services promise.
REMEMBERED = timedelta(hours=1)

State = SmsMessage.State

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a supplier is asked about one text."""

    message: SmsMessage
    text: OutgoingText
    provider: SmsProvider
    known_ids: Sequence[str]


def recover_abandoned(*, now: datetime) -> int:
    """Take up texts whose worker died between claim and record; return how many there were.

    One that was not yet going anywhere simply waits again; the others are unknown.
    """
    abandoned = SmsMessage.objects.abandoned_before(now)
    waiting = abandoned.filter(supplier="").update(
        state=State.PENDING, due_at=now, lease_until=None, error_code="sms.worker_lost"
    )
    unknown = abandoned.exclude(supplier="").update(
        state=State.UNKNOWN, check_at=now, lease_until=None, error_code="sms.worker_lost"
    )
    return waiting + unknown


def settle_unknown(*, now: datetime) -> int:
    """Ask suppliers about texts that are unknown and due for it; return how many were looked at."""
    clock = clock_from(now)
    messages = _claim(now=now)
    batch = Batch(messages, now=now)
    questions = [question for message in messages if (question := _question(message, batch, now=now))]
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(_ask, questions))
    for question, answer in zip(questions, answers, strict=True):
        _record(question.message, answer, now=clock())  # asking may have lasted longer than the pause between two times
    return len(messages)


def _claim(*, now: datetime) -> list[SmsMessage]:
    with transaction.atomic():
        due = SmsMessage.objects.filter(state=State.UNKNOWN, check_at__lte=now).select_related(
            "visit", "contact", "number"
        )
        messages = list(due.order_by("check_at").select_for_update(skip_locked=True, of=("self",))[:BATCH])
        SmsMessage.objects.filter(pk__in=[message.pk for message in messages]).update(check_at=now + ASK_AGAIN)
    return messages


def _question(message: SmsMessage, batch: Batch, *, now: datetime) -> Question | None:
    """Return what to ask about ``message``; None when it must not be asked, or not now."""
    try:
        batch.check_still_wanted(message)
        ready = batch.worded(message, batch.configuration(message), way=recorded_way(message))
    except NotToBeSent:
        # Changed, too late or forbidden meanwhile: asking could send it. Only a receipt can tell now.
        _leave(message, now=now)
        return None
    except (NotNow, ConfigurationError) as reason:
        logger.warning("a text stays unknown", extra={"text": str(message.pk), "code": reason.code})
        return None
    text = replace(text_of(ready, now=now), handed_over_as=message.words_index)
    if ready.way.provider.is_idempotent and now - text.first_sent_at > REMEMBERED:
        _leave(message, now=now)
        return None
    return Question(message=message, text=text, provider=ready.way.provider, known_ids=_known_ids(ready))


def _ask(question: Question) -> Acceptance | ConnectorError | None:
    """Call the supplier; runs in a thread of its own and touches no database."""
    try:
        return question.provider.settle(question.text, known_ids=question.known_ids)
    except ConnectorError as error:
        return error


def _record(message: SmsMessage, answer: Acceptance | ConnectorError | None, *, now: datetime) -> None:
    if isinstance(answer, ConnectorError):
        logger.warning("a text stays unknown", extra={"text": str(message.pk), "code": answer.code})
    elif answer is not None and _is_known(answer.message_id):
        logger.warning("another text of the same words is still looked for", extra={"text": str(message.pk)})
    elif answer is not None:
        found = {"supplier_message_id": answer.message_id, "accepted_at": now, "error_code": ""}
        _end(message, State.ACCEPTED, now=now, **found)
    elif message.checks + 1 < CHECKS:
        _unknown(message).update(checks=message.checks + 1, check_at=now + ASK_AGAIN)
    else:
        # Certainly not taken, so this is no repetition; the supplier gets it as a text of its own.
        _unknown(message).update(
            state=State.PENDING, due_at=now, check_at=None, checks=0, error_code="sms.not_taken", finished_at=None
        )


def _known_ids(ready: Ready) -> Sequence[str]:
    """Return the supplier's ids of this patient's other texts: they are not the one that is looked for."""
    others = SmsMessage.objects.filter(contact_id=ready.message.contact_id).exclude(pk=ready.message.pk)
    return list(others.exclude(supplier_message_id="").values_list("supplier_message_id", flat=True))


def _is_known(message_id: str) -> bool:
    """Return whether the supplier's id is recorded by now: of two unknown texts in the same words, it is one's own."""
    return SmsMessage.objects.filter(supplier_message_id=message_id).exists()


def _leave(message: SmsMessage, *, now: datetime) -> None:
    """Ask no more; the text stays unknown until a receipt says more."""
    _end(message, State.UNKNOWN, now=now)


def _end(message: SmsMessage, state: str, *, now: datetime, **values: object) -> None:
    recorded = {"finished_at": now, "check_at": None, **values}
    if _unknown(message).update(state=state, **recorded):
        metering.count([metering.Outcome(supplier=message.supplier, state=state, code=message.error_code)], now=now)


def _unknown(message: SmsMessage) -> models.QuerySet[SmsMessage]:
    """Return the text if it is as it was when the supplier was asked: an answer that was overtaken says nothing."""
    return SmsMessage.objects.filter(
        pk=message.pk, state=State.UNKNOWN, attempt_id=message.attempt_id, checks=message.checks
    )
