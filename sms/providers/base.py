"""What every SMS supplier's adapter does, and the words they share."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import requests

from core import crypto
from core.errors import UpstreamRejected
from core.http import HttpCall


class Delivery(StrEnum):
    """What a supplier says became of a text, in our words."""

    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """What kind of failure a supplier's code means; it decides what we do next."""

    NONE = ""
    BUSY = "busy"  # not taken, too much at once: slow down and try again
    DAY_CAP = "day_cap"  # the carrier's daily limit: another number or another day
    UNREACHABLE = "unreachable"  # the phone or its carrier, perhaps for a while
    PERMANENT = "permanent"  # no text will ever reach this number
    FILTERED = "filtered"  # a carrier did not like text or sender
    OPTED_OUT = "opted_out"  # the owner said STOP to the supplier
    ACCOUNT = "account"  # our account, key or number; a person has to mend it


class Reason(StrEnum):
    """Why a text did not arrive, as Microsoft's report words it (the values of ``ReportStatus``)."""

    NONE = ""
    BLOCKED_BY_RECIPIENT = "blocked_by_recipient"
    INVALID_NUMBER = "invalid_number"
    NO_SUCH_NUMBER = "no_such_number"
    BLOCKED_NUMBER = "blocked_number"
    UNREACHABLE = "unreachable"
    SPAM = "spam"
    RECIPIENT_BLOCKED = "recipient_blocked"
    OTHER_ERROR = "other_error"


@dataclass(frozen=True)
class CodeMeaning:
    """One row of a supplier's error table."""

    fault: Fault
    reason: Reason = Reason.OTHER_ERROR


class TextRefused(UpstreamRejected):
    """The supplier refused a text for good; ``fault`` and ``reason`` say why, ``supplier_code`` in its own words."""

    def __init__(self, code: str, *, meaning: CodeMeaning, supplier_code: str = "", status: int = 0) -> None:
        super().__init__(code, detail=f"supplier code {supplier_code}" if supplier_code else "", status=status)
        self.fault = meaning.fault
        self.reason = meaning.reason
        self.supplier_code = supplier_code


def words_index(body: str) -> str:
    """Return the HMAC under which the words of a text are remembered once they are handed over."""
    return crypto.index(body, purpose="sms.words")


@dataclass(frozen=True, kw_only=True)
class OutgoingText:
    """One text to send.

    :param key: the same for every attempt at this text.
    :param reference: our id of the text, which its reports should carry; '' when none are wanted.
    :param first_sent_at: when the first attempt began; suppliers that recognise repetitions need it.
    :param receipt_url: where the supplier reports what became of it, for those told per message.
    :param messaging_service: a supplier's pool of senders to use instead of ``sender``.
    :param valid_seconds: how long the supplier may still try; 0 for as long as it likes.
    :param handed_over_as: :func:`words_index` of what was handed over before, whatever the words would be now; only
        for :meth:`SmsProvider.settle`.
    """

    to: str
    sender: str
    body: str
    key: UUID
    reference: str
    first_sent_at: datetime
    receipt_url: str
    messaging_service: str = ""
    valid_seconds: int = 0
    handed_over_as: str = ""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A supplier took the text; it may still not arrive."""

    message_id: str


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """What became of one text, normalised.

    :param key: our key of the text, when the report carries it.
    """

    event_id: str
    message_id: str
    delivery: Delivery
    code: str
    at: datetime
    key: str = ""
    fault: Fault = Fault.NONE
    reason: Reason = Reason.NONE


@dataclass(frozen=True, kw_only=True)
class IncomingText:
    """A text from a patient's phone; only its meaning matters and nothing of it is kept.

    :param is_answered: the supplier has answered the keyword itself.
    """

    event_id: str
    sender: str
    recipient: str
    body: str
    is_answered: bool = False


class SmsProvider(Protocol):
    """The port: what the connector asks of a supplier.

    ``request`` and ``read`` are the two halves of sending, so that thousands of calls can be under way at
    once; ``send`` is both with one call between.
    """

    name: str
    """The first word of its error codes."""

    is_idempotent: bool
    """Whether the supplier recognises the same key and does not send twice."""

    network_words: frozenset[str]
    """What a phone may write that supplier and carriers obey and answer themselves, in small letters."""

    usual_per_minute: int
    """How many texts a toll-free number may send in a minute."""

    def request(self, text: OutgoingText) -> HttpCall:
        """Return the call that hands ``text`` over."""
        ...

    def read(self, response: requests.Response) -> Acceptance:
        """Return what the answer to such a call says.

        :raises UpstreamUnavailable: nothing was sent; try again later.
        :raises ConfigurationError: account, key or number are refused; a person has to mend it, texts wait.
        :raises TextRefused: refused for good.
        :raises OutcomeUnknown: it may have been sent.
        """
        ...

    def send(self, text: OutgoingText) -> Acceptance:
        """Hand one text over and wait for the answer; raises what ``read`` does."""
        ...

    def settle(self, text: OutgoingText, *, known_ids: Collection[str] = ()) -> Acceptance | None:
        """Find out whether a text whose answer never came was taken; None when it certainly was not.

        :param known_ids: the supplier's ids of texts that are accounted for.
        :raises ConnectorError: it could not be found out now.
        """
        ...

    def block(self, *, sender: str, phone: str) -> bool:
        """Have the supplier refuse texts from ``sender`` to ``phone``; False when it has no such list."""
        ...

    def unblock(self, *, sender: str, phone: str) -> bool:
        """Undo :meth:`block`."""
        ...
