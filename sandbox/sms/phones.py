"""The phones of the twin: texts arrive, people answer."""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sandbox import ledger
from sandbox.courier import Policy, courier
from sandbox.models import Supplier, Text
from sandbox.sms import event_grid, network, twilio_webhooks

LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_TRAVEL_SECONDS = 0.2
_ONCE = Policy(tries=3, age_seconds=60)


class PhoneRefused(Exception):
    """There is nobody to answer."""


@dataclass(frozen=True)
class Phone:
    """A phone on the wall and its conversation, oldest first."""

    e164: str
    texts: list[Text]

    @property
    def label(self) -> str:
        """The number as people write it in the United States, else as it is."""
        digits = self.e164.removeprefix("+1")
        is_us = self.e164.startswith("+1") and len(digits) == 10  # noqa: PLR2004 - a US number
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if is_us else self.e164


def dispatch(text: Text) -> None:
    """Send an accepted text on its way; it arrives, or fails, a moment later."""
    courier.send(f"phone:{text.phone}", partial(_arrive, text.pk), policy=_ONCE, delay=_TRAVEL_SECONDS)


def received(e164: str) -> list[Text]:
    """Return the texts that reached a phone, newest first."""
    return list(Text.objects.filter(phone=e164, is_inbound=False, status="delivered"))


def wall(known: list[str]) -> list[Phone]:
    """Return every phone that ever got a text, and the ``known`` ones; latest conversation first."""
    conversations: dict[str, list[Text]] = defaultdict(list)
    for text in Text.objects.all()[:500]:
        conversations[text.phone].insert(0, text)
    for e164 in known:
        conversations[e164] = conversations[e164]
    return [Phone(e164, texts) for e164, texts in conversations.items()]


def conversation(e164: str) -> Phone:
    """Return one phone."""
    return Phone(e164, list(reversed(Text.objects.filter(phone=e164)[:200])))


def reply(e164: str, *, body: str, to: str = "") -> Text:
    """Answer from a phone to the number that texted it last, or to ``to``; STOP and START work.

    :raises PhoneRefused: no number has texted this phone.
    """
    heard = Text.objects.filter(phone=e164, is_inbound=False)
    last = heard.filter(number=to).first() if to else heard.first()
    if last is None:
        raise PhoneRefused("No number has texted this phone yet, so there is nobody to answer.")
    answer = Text.objects.create(
        supplier=last.supplier,
        message_id=_message_id(last.supplier),
        is_inbound=True,
        phone=e164,
        number=last.number,
        body=body,
        status="received",
    )
    ledger.record("phone", "replied", key=e164, to=last.number, text=body)
    keyword = network.keyword_of(body, supplier=last.supplier)
    note = network.obey(keyword, supplier=last.supplier, number=last.number, phone=e164)
    if note:
        _network_note(answer, note)
    _FORWARD[Supplier(last.supplier)](answer)
    return answer


_FORWARD: dict[Supplier, Callable[[Text], None]] = {
    Supplier.ACS: event_grid.send_inbound,
    Supplier.TWILIO: twilio_webhooks.send_inbound,
}
_REPORT: dict[Supplier, Callable[[Text, network.Fate], None]] = {
    Supplier.ACS: event_grid.send_report,
    Supplier.TWILIO: twilio_webhooks.send_status,
}


def _arrive(text_pk: int) -> bool:
    text = Text.objects.get(pk=text_pk)
    fate = network.fate_of(text)
    text.status = "delivered" if fate.is_delivered else "undelivered"
    text.error = "" if fate.is_delivered else fate.acs_details
    text.save()
    _REPORT[Supplier(text.supplier)](text, fate)
    return True


def _network_note(answer: Text, note: str) -> None:
    Text.objects.create(
        supplier=answer.supplier,
        message_id=f"network-{uuid.uuid4()}",
        phone=answer.phone,
        number=answer.number,
        body=note,
        status="delivered",
    )


def _message_id(supplier: str) -> str:
    return f"SM{uuid.uuid4().hex}" if supplier == Supplier.TWILIO else f"Incoming_{uuid.uuid4()}"
