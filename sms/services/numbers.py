"""Numbers that an organization has: verification by carriers, what depends on them, giving them back."""

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from config_portal.models import FhirEndpoint, Organization
from core import audit
from core.errors import ConfigurationError, ConnectorError
from sms.models import PhoneNumber, SmsConfiguration
from sms.providers.numbers import CarrierRegister, NumberKind, OwnedNumber
from sms.services import number_suppliers
from sms.services.planning import approved_choices_of

CHECK_EVERY = timedelta(minutes=15)
SUPPLIER_SAYS = "supplier"

Verification = PhoneNumber.Verification

logger = logging.getLogger(__name__)


def uses_of(number: PhoneNumber) -> list[FhirEndpoint]:
    """Return the endpoints that text from ``number``, as drafted or as approved; any of them would fall silent."""
    return uses_in(number.organization).get(number.number, [])


def uses_in(organization: Organization) -> dict[str, list[FhirEndpoint]]:
    """Return number → endpoints that text from it, as drafted or as approved."""
    found = SmsConfiguration.objects.select_related("number", "failover_number").filter(
        endpoint__organization=organization
    )
    drafted = {draft.endpoint_id: [draft.number, draft.failover_number] for draft in found}
    uses: dict[str, list[FhirEndpoint]] = defaultdict(list)
    for endpoint in FhirEndpoint.objects.for_organization(organization).select_related("approved_version"):
        choices = approved_choices_of(endpoint)
        named = {choices.get("number"), choices.get("failover_number")}
        named |= {number.number for number in drafted.get(endpoint.pk, []) if number}
        for number in named - {None, ""}:
            uses[str(number)].append(endpoint)
    return dict(uses)


def request_release(number: PhoneNumber, *, actor: str, now: datetime) -> None:
    """Begin to give ``number`` back; it is gone for good.

    :raises ConfigurationError: ``sms.number_in_use`` while an endpoint texts from it.
    """
    with transaction.atomic():
        locked = PhoneNumber.objects.select_for_update().get(pk=number.pk)
        if uses_of(locked):
            raise ConfigurationError("sms.number_in_use", "An Epic connection still texts from this number.")
        if locked.release_requested_at is None:
            locked.release_requested_at = now
            locked.save(update_fields=["release_requested_at"])
            audit.record(
                "sms.number_release_requested",
                organization_id=locked.organization_id,
                actor=actor,
                subject=locked,
                number=locked.number,
            )
    number.release_requested_at = locked.release_requested_at


def release_requested(*, now: datetime) -> int:
    """Give back what is to be given back; return how many numbers are gone.

    Repeating is harmless: a number that the account does not hold counts as given back.
    """
    leaving = PhoneNumber.objects.filter(release_requested_at__isnull=False, released_at=None)
    return sum(_release(number, now=now) for number in leaving)


def check_verifications(*, now: datetime) -> int:
    """Ask suppliers about numbers that carriers still block; return how many changed."""
    stale = Q(verification_at=None) | Q(verification_at__lte=now - CHECK_EVERY)
    changed = 0
    for number in PhoneNumber.objects.held().filter(stale, verification__in=PhoneNumber.BLOCKED):
        try:
            changed += check_verification(number, now=now)
        except ConnectorError as error:
            logger.warning("verification not known", extra={"number": str(number.pk), "code": error.code})
    return changed


def can_check_verification(number: PhoneNumber) -> bool:
    """Return whether the supplier tells how verification stands; otherwise staff copy it from its site."""
    try:
        return _register_of(number) is not None
    except ConfigurationError:
        return False


def check_verification(number: PhoneNumber, *, now: datetime) -> bool:
    """Ask the supplier how verification of ``number`` stands; return whether that is news.

    :raises ConnectorError: when the supplier does not answer or is not set up.
    """
    register = _register_of(number)
    if register is None:
        return False
    report = register.verification(OwnedNumber(number=number.number, supplier_id=number.supplier_id))
    return record_verification(number, state=report.state, reason=report.reason, actor=SUPPLIER_SAYS, now=now)


def record_verification(number: PhoneNumber, *, state: str, reason: str = "", actor: str, now: datetime) -> bool:
    """Store how verification by carriers stands and who says so; return whether that is news."""
    is_news = (number.verification, number.verification_reason) != (state, reason)
    number.verification, number.verification_reason = state, reason
    number.verification_by, number.verification_at = actor, now
    number.save(update_fields=["verification", "verification_reason", "verification_by", "verification_at"])
    if is_news:
        audit.record(
            "sms.number_verification",
            organization_id=number.organization_id,
            actor="system" if actor == SUPPLIER_SAYS else actor,
            subject=number,
            state=state,
        )
    return is_news


def _register_of(number: PhoneNumber) -> CarrierRegister | None:
    return number_suppliers.supplier_of(number.supplier).registers.get(NumberKind(number.kind))


def _release(number: PhoneNumber, *, now: datetime) -> bool:
    owned = OwnedNumber(number=number.number, supplier_id=number.supplier_id)
    try:
        supplier = number_suppliers.supplier_of(number.supplier)
        supplier.release(owned)
        is_gone = supplier.find(number.number) is None
    except ConnectorError as error:
        logger.warning("number not given back yet", extra={"number": str(number.pk), "code": error.code})
        return False
    if is_gone:
        number.released_at = now
        number.save(update_fields=["released_at"])
        audit.record("sms.number_released", organization_id=number.organization_id, subject=number)
    return is_gone
