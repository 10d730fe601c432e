"""Telephone numbers for sale, and who holds which. All of them are fictional (555-01xx)."""

import secrets
from contextlib import suppress
from itertools import product

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from sandbox import setup
from sandbox.models import SenderNumber, Supplier

_TOLL_FREE_CODES = ("833", "844", "855", "866", "877", "888")
_LOCAL_CODES = ("206", "312", "415", "608", "617")
# 0197 to 0199 stay free: as recipients they fail always.
_LINES = range(120, 190)
# What a customer holds on the first day, besides the ``numbers`` that its setup names.
FIRST_NUMBERS = {Supplier.ACS: "+18335550100", Supplier.TWILIO: "+18445550100"}


def for_sale(*, kind: str, area_code: str = "", quantity: int = 1) -> list[str]:
    """Return numbers nobody holds, in E.164.

    :param kind: ``tollFree`` or ``geographic``.
    """
    codes = _TOLL_FREE_CODES if kind == "tollFree" else _LOCAL_CODES
    wanted = [code for code in codes if area_code in ("", code)]
    held = set(SenderNumber.objects.filter(released_at__isnull=True).values_list("e164", flat=True))
    free = (f"+1{code}5550{line}" for line, code in product(_LINES, wanted))
    return [number for number in free if number not in held][:quantity]


def buy(e164: str, *, supplier: str, kind: str = "tollFree", **fields: str) -> SenderNumber:
    """Give ``e164`` to the customer.

    :raises IntegrityError: somebody holds it.
    """
    sid = f"PN{secrets.token_hex(16)}"
    return SenderNumber.objects.create(e164=e164, supplier=supplier, kind=kind, sid=sid, **fields)


def find(e164: str, *, supplier: str) -> SenderNumber | None:
    """Return the number if the customer holds it; the first one and those its setup names need no purchase."""
    if e164 in _named(supplier):
        _hand_over(e164, supplier=supplier)
    return SenderNumber.objects.filter(supplier=supplier, e164=e164, released_at__isnull=True).first()


def held_by_customer(supplier: str) -> QuerySet[SenderNumber]:
    """Return the numbers that the customer holds, the first one and those its setup names among them."""
    for e164 in _named(supplier):
        _hand_over(e164, supplier=supplier)
    return SenderNumber.objects.filter(supplier=supplier, released_at__isnull=True)


def _named(supplier: str) -> list[str]:
    return [FIRST_NUMBERS[Supplier(supplier)], *setup.current().get(supplier, {}).get("numbers", [])]


def _hand_over(e164: str, *, supplier: str) -> None:
    """Give a number away that nobody has held yet; one that was released stays released."""
    if SenderNumber.objects.filter(supplier=supplier, e164=e164).exists():
        return
    with suppress(IntegrityError), transaction.atomic():  # another request may do so at the same moment
        buy(e164, supplier=supplier)
