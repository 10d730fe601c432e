"""The mobile network of the twin: brings texts to phones and phones' answers back, and keeps opt-outs.

Some numbers fail always, so that failures can be tried without a fault: see ``MAGIC``.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.models import NetworkOptOut, Supplier, Text

E164 = re.compile(r"\+[1-9]\d{6,14}")

# Words the network itself understands. On toll-free numbers of ACS the carriers know only three.
_STOP_WORDS = {
    Supplier.ACS: frozenset({"STOP"}),
    Supplier.TWILIO: frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}),
}
_START_WORDS = {
    Supplier.ACS: frozenset({"START", "UNSTOP"}),
    Supplier.TWILIO: frozenset({"START", "YES", "UNSTOP"}),
}


@dataclass(frozen=True)
class Fate:
    """What becomes of a text: the word for people and each supplier's code."""

    is_delivered: bool
    acs_details: str = "2000: Message Delivered Successfully"
    twilio_error: int | None = None


DELIVERED = Fate(is_delivered=True)
UNREACHABLE = Fate(is_delivered=False, acs_details="4006: The destination number isn't reachable", twilio_error=30003)
BLOCKED = Fate(is_delivered=False, acs_details="4005: Message blocked by destination carrier", twilio_error=30007)
UNKNOWN_NUMBER = Fate(is_delivered=False, acs_details="4004: The destination number doesn't exist", twilio_error=30005)
OPTED_OUT = Fate(is_delivered=False, acs_details="4007: Sender blocked for given recipient.", twilio_error=21610)

MAGIC = {"0199": UNREACHABLE, "0198": BLOCKED, "0197": UNKNOWN_NUMBER}


def fate_of(text: Text) -> Fate:
    """Return what becomes of ``text``."""
    if is_opted_out(supplier=text.supplier, number=text.number, phone=text.phone):
        return OPTED_OUT
    return MAGIC.get(text.phone[-4:], DELIVERED)


def is_opted_out(*, supplier: str, number: str, phone: str) -> bool:
    """Tell whether ``phone`` told ``number`` STOP."""
    return NetworkOptOut.objects.filter(supplier=supplier, number=number, phone=phone).exists()


def keyword_of(body: str, *, supplier: str) -> Literal["STOP", "START", ""]:
    """Return what the network makes of an answer: only the bare word counts."""
    word = body.strip().upper()
    if word in _STOP_WORDS[Supplier(supplier)]:
        return "STOP"
    return "START" if word in _START_WORDS[Supplier(supplier)] else ""


def obey(keyword: str, *, supplier: str, number: str, phone: str) -> str:
    """Keep or forget the opt-out; return what the network answers the phone by itself."""
    key: dict[str, Any] = {"supplier": supplier, "number": number, "phone": phone}
    if keyword == "STOP":
        NetworkOptOut.objects.get_or_create(**key)
        return "NETWORK: You will get no more texts from this number. Text START to get them again."
    if keyword == "START":
        NetworkOptOut.objects.filter(**key).delete()
        return "NETWORK: You will get texts from this number again."
    return ""
