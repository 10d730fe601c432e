"""What phones write to us: no more texts, texts again, help; acted on at once, and forgotten."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from core import crypto
from core.errors import ConfigurationError
from sms import keywords
from sms.keywords import Meaning, Understood
from sms.models import InboundAction, InboundText, PhoneNumber
from sms.providers.base import IncomingText
from sms.services import opt_outs, suppliers
from visits.models import PatientContact

Kind = InboundAction.Kind

KEPT = timedelta(hours=1)
# The order matters: the last word has to arrive before the supplier refuses more.
_AFTERWARDS = timedelta(seconds=5)

logger = logging.getLogger(__name__)


@transaction.atomic
def record_incoming(text: IncomingText, *, supplier: str, now: datetime) -> str:
    """Act once on what a patient wrote and return its meaning; '' when it was known or came to no number of ours."""
    number = PhoneNumber.objects.held().filter(number=text.recipient, supplier=supplier).first()
    if number is None:
        logger.warning("a text came to a number that is not ours", extra={"system": supplier})
        return ""
    understood = keywords.understand(text.body, is_toll_free=number.kind == PhoneNumber.Kind.TOLL_FREE)
    contact = _contact(number, text.sender)
    _, is_new = InboundText.objects.get_or_create(
        supplier=supplier,
        event_id=text.event_id,
        defaults={
            "organization_id": number.organization_id,
            "number": number,
            "visit_id": contact.visit_id if contact else None,
            "contact": contact,
            "meaning": understood.meaning,
            "at": now,
        },
    )
    if not is_new:
        return ""
    language = contact.language if contact else understood.language or "en"
    _act(understood, text, number=number, language=language, now=now)
    return understood.meaning


def _act(understood: Understood, text: IncomingText, *, number: PhoneNumber, language: str, now: datetime) -> None:
    organization_id, phone = number.organization_id, text.sender
    is_networks = understood.word in _network_words(number)
    kinds: list[tuple[str, timedelta]] = []
    if understood.meaning == Meaning.STOP:
        opt_outs.opt_out(organization_id, phone, source="reply", words="keyword" if understood.word else "phrase")
        kinds = [] if is_networks else [(Kind.STOPPED, timedelta(0)), (Kind.BLOCK, _AFTERWARDS)]
    elif understood.meaning == Meaning.START and opt_outs.opt_in(organization_id, phone, now=now):
        kinds = [] if is_networks else [(Kind.UNBLOCK, timedelta(0)), (Kind.STARTED, _AFTERWARDS)]
    elif understood.meaning == Meaning.HELP and not text.is_answered:
        kinds = [(Kind.HELP, timedelta(0))]
    for kind, after in kinds:
        InboundAction.objects.create(
            organization_id=organization_id,
            number=number,
            kind=kind,
            phone=phone,
            language=language,
            due_at=now + after,
            purge_at=now + KEPT,
        )


def _network_words(number: PhoneNumber) -> frozenset[str]:
    """Return the words that supplier and carriers obey and answer by themselves."""
    try:
        return suppliers.provider(number.supplier).network_words
    except ConfigurationError:
        return frozenset()


def _contact(number: PhoneNumber, phone: str) -> PatientContact | None:
    """Return whom the organization texts at this phone, for the next visit."""
    contacts = PatientContact.objects.filter(
        phone_index=crypto.index(phone, purpose="phone"), visit__organization=number.organization_id
    )
    return contacts.order_by("-visit__starts_at").first()
