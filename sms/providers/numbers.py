"""What a supplier's numbers interface does for us, and the words its adapters share.

Getting a number takes three steps, each of which may take minutes: search (which reserves, where the
supplier knows reservations), buy, and look whether it is really ours. An adapter keeps nothing between
steps: what it needs later travels in the values below, so any worker can take the next step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID


class NumberKind(StrEnum):
    """What sort of number texts come from."""

    TOLL_FREE = "toll_free"
    LOCAL = "local"
    MOBILE = "mobile"


class Verification(StrEnum):
    """Whether carriers let a number send that they keep a register of: only ``approved`` ones are not blocked."""

    NOT_NEEDED = "not_needed"
    NOT_SUBMITTED = "not_submitted"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class WantedNumber:
    """What to look for.

    :param country: ISO 3166-1 alpha-2.
    :param area_code: digits, or '' for any.
    :param key: names the order at the supplier; the same for every attempt.
    :param incoming_url: where replies are to be delivered, for suppliers that ask per number.
    """

    country: str
    kind: NumberKind
    area_code: str
    key: UUID
    incoming_url: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A number that may be bought.

    :param reference: the supplier's name of its reservation, '' where there is none.
    :param expires_at: when the reservation ends, None where there is none.
    :param price: for people, such as ``2.00 USD a month``; '' when the supplier does not say.
    """

    number: str
    reference: str
    expires_at: datetime | None
    price: str


@dataclass(frozen=True, kw_only=True)
class OwnedNumber:
    """A number that the account really holds."""

    number: str
    supplier_id: str


@dataclass(frozen=True, kw_only=True)
class VerificationReport:
    """What carriers say about a number; ``reason`` is theirs, when they rejected it."""

    state: Verification
    reason: str = ""


class CarrierRegister(Protocol):
    """Who can be asked whether carriers let a number send: for toll-free verification, or a 10DLC campaign."""

    def verification(self, owned: OwnedNumber) -> VerificationReport:
        """Return what carriers say about a number."""
        ...


class NumberSupplier(Protocol):
    """The port: what the connector asks of a supplier about numbers.

    Every method makes at most one change at the supplier and raises :class:`core.errors.UpstreamUnavailable`
    (ask again), :class:`core.errors.OutcomeUnknown` (look with :meth:`find` first),
    :class:`core.errors.ConfigurationError` (account or key) or :class:`core.errors.UpstreamRejected` with one of
    ``sms.number_out_of_stock``, ``sms.number_taken``, ``sms.number_reservation_expired``,
    ``sms.number_no_credit``, ``sms.number_not_provisioned`` and ``sms.number_refused``.
    """

    offers: ClassVar[Mapping[str, tuple[NumberKind, ...]]]
    """Country → kinds of numbers with texts that can be had through the interface, the usual kind first."""

    @property
    def registers(self) -> Mapping[NumberKind, CarrierRegister]:
        """Kind of number → who can be asked whether carriers let it send; of others staff copy it from the site."""
        ...

    def start_search(self, wanted: WantedNumber) -> str:
        """Begin to search; return the operation's name, '' where the search is one question."""
        ...

    def search_result(self, wanted: WantedNumber, *, operation: str) -> Offer | None:
        """Return what was found, or None while the search runs."""
        ...

    def start_purchase(self, wanted: WantedNumber, offer: Offer) -> str:
        """Begin to buy; return the operation's name, '' where buying is one call."""
        ...

    def is_purchase_running(self, operation: str) -> bool:
        """Return whether the purchase still runs."""
        ...

    def find(self, number: str) -> OwnedNumber | None:
        """Return the number if the account holds it."""
        ...

    def cancel(self, operation: str) -> None:
        """Ask the supplier to stop an operation; one that is over stays as it is."""
        ...

    def release(self, owned: OwnedNumber) -> None:
        """Give the number back; one that the account does not hold is no error."""
        ...
