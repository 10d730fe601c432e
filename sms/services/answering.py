"""Do what is owed to phones that wrote to us: answer, or tell the supplier; then forget the phone."""

import logging
from datetime import datetime

from core import outbox
from core.errors import ConnectorError, OutcomeUnknown
from sms import wording
from sms.models import InboundAction
from sms.providers.base import OutgoingText, SmsProvider
from sms.services import suppliers

Kind = InboundAction.Kind

BATCH = 20

logger = logging.getLogger(__name__)


def answer_due(*, now: datetime) -> int:
    """Do what is due and return how much there was."""
    due = InboundAction.objects.due_before(now).select_related("number", "organization")
    claimed = outbox.claim(due, now=now, limit=BATCH)
    for action in claimed:
        try:
            _do(action, now=now)
        except ConnectorError as error:
            _after_error(action, error, now=now)
        else:
            outbox.finish(action, state=InboundAction.DONE, now=now, phone=None)
    return len(claimed)


def recover_abandoned(*, now: datetime) -> int:
    """Settle what a dead worker left: word to the supplier is given again, an answer is not."""
    abandoned = InboundAction.objects.abandoned_before(now)
    again = abandoned.filter(kind__in=[Kind.BLOCK, Kind.UNBLOCK]).update(
        state=InboundAction.PENDING, due_at=now, lease_until=None
    )
    return again + abandoned.update(
        state=InboundAction.FAILED, phone=None, finished_at=now, lease_until=None, error_code="sms.worker_lost"
    )


def _do(action: InboundAction, *, now: datetime) -> None:
    provider = suppliers.provider(action.number.supplier)
    sender = action.number.number
    if action.phone is None or not action.is_useful(now):
        return
    if action.kind == Kind.BLOCK:
        provider.block(sender=sender, phone=action.phone)
    elif action.kind == Kind.UNBLOCK:
        provider.unblock(sender=sender, phone=action.phone)
    else:
        _answer(action, provider, now=now)


def _answer(action: InboundAction, provider: SmsProvider, *, now: datetime) -> None:
    if action.first_sent_at is None:
        action.first_sent_at = now
        action.save(update_fields=["first_sent_at"])
    organization = action.organization
    provider.send(
        OutgoingText(
            to=str(action.phone),
            sender=action.number.number,
            body=wording.answer(
                action.kind,
                language=action.language,
                organization=organization.name,
                help_phone=organization.help_phone,
            ),
            key=action.pk,
            reference="",
            first_sent_at=action.first_sent_at,
            receipt_url="",
            messaging_service=action.number.messaging_service_sid,
        )
    )


def _after_error(action: InboundAction, error: ConnectorError, *, now: datetime) -> None:
    logger.warning("a phone was not answered", extra={"code": error.code, "system": action.number.supplier})
    is_text = action.kind not in {Kind.BLOCK, Kind.UNBLOCK}
    may_have_gone = isinstance(error, OutcomeUnknown) and is_text and not _is_idempotent(action)
    if may_have_gone or not (error.retryable or isinstance(error, OutcomeUnknown)):
        outbox.finish(action, state=InboundAction.FAILED, now=now, error_code=error.code, phone=None)
    else:
        outbox.retry_later(action, now=now, error_code=error.code)


def _is_idempotent(action: InboundAction) -> bool:
    return suppliers.provider(action.number.supplier).is_idempotent
