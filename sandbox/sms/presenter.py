"""Words and states of the phones; templates decide nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.models import Supplier, Text
from sandbox.sms.phones import LINK, Phone


@dataclass(frozen=True)
class Piece:
    """A run of a text: words, or a link to tap."""

    words: str
    is_link: bool


@dataclass(frozen=True)
class Bubble:
    """One text on a phone's screen."""

    pieces: list[Piece]
    at: datetime
    is_mine: bool
    failure: str


@dataclass(frozen=True)
class PhoneCard:
    """A phone on the wall."""

    e164: str
    label: str
    sender: str
    bubbles: list[Bubble]
    can_reply: bool


def card_for(phone: Phone) -> PhoneCard:
    """Return the phone as the wall shows it."""
    last = next((text for text in reversed(phone.texts) if not text.is_inbound), None)
    supplier = Supplier(last.supplier).label if last else ""
    return PhoneCard(
        e164=phone.e164,
        label=phone.label,
        sender=f"{Phone(last.number, []).label} · {supplier}" if last else "No texts yet",
        bubbles=[_bubble(text) for text in phone.texts if text.status not in ("accepted", "queued")],
        can_reply=last is not None,
    )


def text_json(text: Text) -> dict[str, Any]:
    """Return a received text as the control interface shows it."""
    return {
        "id": text.message_id,
        "from": text.number,
        "text": text.body,
        "at": text.updated_at.isoformat(),
        "links": LINK.findall(text.body),
    }


def _bubble(text: Text) -> Bubble:
    failure = "" if text.is_inbound or text.status == "delivered" else f"Not delivered. {text.error}"
    return Bubble(_pieces(text.body), text.at, is_mine=text.is_inbound, failure=failure)


def _pieces(body: str) -> list[Piece]:
    pieces, end = [], 0
    for match in LINK.finditer(body):
        pieces += [Piece(body[end : match.start()], is_link=False), Piece(match[0], is_link=True)]
        end = match.end()
    pieces.append(Piece(body[end:], is_link=False))
    return [piece for piece in pieces if piece.words]
