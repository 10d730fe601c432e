"""Get a number from a supplier, step by step, whoever takes the next step.

A step asks the supplier at most one thing that changes something, and what was decided is committed before
it is asked. Money is spent in one place, ``_buy``: while nobody knows whether an unanswered purchase took
effect, it looks for the number and buys nothing.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse

from config_portal.models import Organization
from core import audit
from core.errors import ConfigurationError, ConnectorError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from core.models import backoff
from sms.models import NumberOrder, PhoneNumber
from sms.providers.numbers import NumberKind, NumberSupplier, Offer, OwnedNumber, WantedNumber
from sms.services import countries, number_suppliers

State = NumberOrder.State

POLL = timedelta(seconds=2)
LEASE = timedelta(seconds=90)
LONGEST = timedelta(minutes=10)
MOST_SEARCHES = 3
# How long an unanswered purchase may still turn out to have taken effect.
DOUBT = timedelta(minutes=3)
SHOWN = timedelta(days=1)
_LOST_TO_OTHERS = ("sms.number_taken", "sms.number_reservation_expired")

logger = logging.getLogger(__name__)


def start_order(
    organization: Organization, *, supplier: str, kind: str, area_code: str, actor: str, now: datetime
) -> NumberOrder:
    """Store an order, or return the one that is under way: a second click orders nothing more.

    :raises ConfigurationError: ``sms.country_not_offered``, ``sms.supplier_not_configured``.
    """
    countries.check_offer(organization, supplier=supplier, kind=kind)
    try:
        with transaction.atomic():
            order = NumberOrder.objects.create(
                organization=organization,
                supplier=supplier,
                country=organization.country,
                kind=kind,
                area_code=area_code,
                requested_by=actor,
                requested_at=now,
                started_at=now,
                next_at=now,
            )
            _audit(order, "sms.number_ordered", actor=actor)
    except IntegrityError:
        return NumberOrder.objects.open().get(organization=organization)
    return order


def latest(organization: Organization, *, now: datetime) -> NumberOrder | None:
    """Return the order that people should see: the one under way, or the last one for a day after it ended."""
    recent = Q(state__in=NumberOrder.OPEN) | Q(finished_at__gte=now - SHOWN)
    return NumberOrder.objects.for_organization(organization).filter(recent).order_by("-requested_at").first()


def advance_due(*, now: datetime) -> int:
    """Take the next step of every order whose time has come; return how many there were."""
    with transaction.atomic():
        rows = NumberOrder.objects.to_advance(now).select_for_update(skip_locked=True)
        claimed = list(rows.order_by("next_at")[:20])
        NumberOrder.objects.filter(pk__in=[order.pk for order in claimed]).update(lease_until=now + LEASE)
    for order in claimed:
        advance(order, now=now)
    return len(claimed)


def advance(order: NumberOrder, *, now: datetime) -> None:
    """Take one step of ``order``; what goes wrong is stored with it."""
    try:
        supplier = number_suppliers.supplier_of(order.supplier)
        _STEPS[order.state](order, supplier, now)
        order.failures = 0
    except UpstreamRejected as error:
        _refused(order, error, now=now)
    except (UpstreamUnavailable, OutcomeUnknown) as error:
        logger.warning("number supplier did not answer", extra={"order": str(order.pk), "code": error.code})
        order.failures += 1
        order.next_at = now + backoff(order.failures, most=timedelta(minutes=1))
    except ConfigurationError as error:
        _fail(order, error.code, now=now)
    if order.is_open and order.age(now) >= LONGEST:
        _fail(order, "sms.number_timed_out", now=now)
    order.lease_until = None
    # Somebody may have asked to stop while the supplier was asked: that column is theirs.
    order.save(update_fields=[field.name for field in order._meta.fields if field.name not in _THEIRS])


def cancel(order: NumberOrder, *, actor: str, now: datetime) -> None:
    """Ask for ``order`` to stop; a number that is being bought is given back as soon as it is ours."""
    stopped = NumberOrder.objects.open().filter(pk=order.pk, cancel_requested_at=None)
    if stopped.update(cancel_requested_at=now, next_at=now):
        _audit(order, "sms.number_order_cancelled", actor=actor)


def resume(order: NumberOrder, *, actor: str, now: datetime) -> bool:
    """Go on with a failed order; what may have been bought is looked for first. False when another is under way."""
    state = State.BUYING if order.number else State.SEARCHING
    try:
        with transaction.atomic():
            failed = NumberOrder.objects.filter(pk=order.pk, state=State.FAILED)
            resumed = failed.update(
                state=state, operation="", is_started=False, searches=0, failures=0, error_code="",
                started_at=now, next_at=now, finished_at=None, cancel_requested_at=None,
            )  # fmt: skip
            if resumed:
                _audit(order, "sms.number_order_resumed", actor=actor)
    except IntegrityError:
        return False
    return bool(resumed)


# --- Steps ----------------------------------------------------------------------------------------
def _search(order: NumberOrder, supplier: NumberSupplier, now: datetime) -> None:
    if _is_cancelled(order):
        supplier.cancel(order.operation)
        _finish(order, State.CANCELLED, now=now)
        return
    if not order.is_started:
        order.operation, order.is_started = supplier.start_search(_wanted(order)), True
        order.searches += 1
    offer = supplier.search_result(_wanted(order), operation=order.operation)
    if offer is not None:
        order.number, order.offer_reference = offer.number, offer.reference
        order.offer_expires_at, order.price = offer.expires_at, offer.price
        order.state = State.RESERVING
    order.next_at = now + POLL


def _reserve(order: NumberOrder, supplier: NumberSupplier, now: datetime) -> None:
    if _is_cancelled(order):
        _finish(order, State.CANCELLED, now=now)
        return
    order.state, order.operation, order.is_started = State.BUYING, "", False
    order.purchase_started_at, order.next_at = None, now


def _buy(order: NumberOrder, supplier: NumberSupplier, now: datetime) -> None:
    order.next_at = now + POLL
    if order.is_started and supplier.is_purchase_running(order.operation):
        return
    owned = supplier.find(order.number)
    if owned is not None:
        _take_over(order, supplier, owned, now=now)
    elif order.is_started:
        return  # done, says the supplier; believed once the number is in the account
    elif _is_cancelled(order) and order.purchase_started_at is None:
        _finish(order, State.CANCELLED, now=now)
    elif order.purchase_started_at is None or now - order.purchase_started_at >= DOUBT:
        _purchase(order, supplier, now=now)


def _purchase(order: NumberOrder, supplier: NumberSupplier, *, now: datetime) -> None:
    """Ask the supplier to buy, once the attempt is committed; search anew when the reservation ran out."""
    if order.offer_expires_at is not None and order.offer_expires_at <= now:
        _search_anew(order, now=now)
        return
    order.purchase_started_at = now
    NumberOrder.objects.filter(pk=order.pk).update(purchase_started_at=now)
    offer = Offer(
        number=order.number, reference=order.offer_reference, expires_at=order.offer_expires_at, price=order.price
    )
    order.operation, order.is_started = supplier.start_purchase(_wanted(order), offer), True


_STEPS: dict[str, Callable[[NumberOrder, NumberSupplier, datetime], None]] = {
    State.SEARCHING: _search,
    State.RESERVING: _reserve,
    State.BUYING: _buy,
}
_THEIRS = ("id", "organization", "cancel_requested_at")


# --- Endings --------------------------------------------------------------------------------------
def _take_over(order: NumberOrder, supplier: NumberSupplier, owned: OwnedNumber, *, now: datetime) -> None:
    if _is_cancelled(order):
        supplier.release(owned)
        _finish(order, State.CANCELLED, now=now)
        return
    bought = PhoneNumber(kind=order.kind, country=order.country)
    verification = PhoneNumber.Verification
    with transaction.atomic():
        order.phone_number, _ = PhoneNumber.objects.get_or_create(
            number=owned.number,
            released_at=None,
            defaults={
                "organization": order.organization,
                "supplier": order.supplier,
                "supplier_id": owned.supplier_id,
                "kind": order.kind,
                "country": order.country,
                "verification": verification.NOT_SUBMITTED
                if bought.is_registered_with_carriers
                else verification.NOT_NEEDED,
            },
        )
        _finish(order, State.READY, now=now)
        order.save()
        _audit(order, "sms.number_ready", number=owned.number)


def _refused(order: NumberOrder, error: UpstreamRejected, *, now: datetime) -> None:
    """Search anew when somebody else was faster; everything else is for a person to decide."""
    is_lost = order.state == State.BUYING and error.code in _LOST_TO_OTHERS
    if is_lost and order.purchase_started_at is not None and not order.is_started:
        # The refusal may mean "you have it already": look once more before searching anew.
        owned = _found(order)
        if owned is not None:
            order.is_started, order.operation, order.next_at = False, "", now
            return
    if is_lost and order.searches < MOST_SEARCHES:
        _search_anew(order, now=now)
        return
    _fail(order, error.code, now=now)


def _found(order: NumberOrder) -> OwnedNumber | None:
    try:
        return number_suppliers.supplier_of(order.supplier).find(order.number)
    except ConnectorError as error:
        logger.warning("could not look for a number", extra={"order": str(order.pk), "code": error.code})
        return None


def _search_anew(order: NumberOrder, *, now: datetime) -> None:
    order.state, order.operation, order.is_started = State.SEARCHING, "", False
    order.number, order.offer_reference, order.offer_expires_at = "", "", None
    order.purchase_started_at, order.next_at = None, now


def _fail(order: NumberOrder, code: str, *, now: datetime) -> None:
    order.error_code = code
    _finish(order, State.FAILED, now=now)
    _audit(order, "sms.number_order_failed", code=code)


def _finish(order: NumberOrder, state: str, *, now: datetime) -> None:
    order.state, order.finished_at = state, now


def _is_cancelled(order: NumberOrder) -> bool:
    return order.cancel_requested_at is not None


def _wanted(order: NumberOrder) -> WantedNumber:
    return WantedNumber(
        country=order.country,
        kind=NumberKind(order.kind),
        area_code=order.area_code,
        key=order.pk,
        incoming_url=f"{settings.PUBLIC_URL}{reverse('sms:twilio_incoming')}",
    )


def _audit(order: NumberOrder, action: str, *, actor: str = "system", **data: str) -> None:
    audit.record(action, organization_id=order.organization_id, actor=actor, subject=order, **data)
