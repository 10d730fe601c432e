"""Create, authorize and describe organizations."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import Role, User
from config_portal.models import Environment, Membership, Organization, Region, Subscription, TeamsTenant
from config_portal.prerequisites import PREREQUISITES
from config_portal.services.keys import create_keys
from core import audit
from core.errors import ConfigurationError

EDITABLE = ("name", "country", "time_zone", "help_phone", "epic_contact_name", "epic_contact_email")


@transaction.atomic
def create_organization(
    *, slug: str, tenant_id: UUID, values: Mapping[str, Any], region: str = "", actor: str
) -> Organization:
    """Create an organization that may use nothing yet, and let the staff of its tenant in.

    :param values: by name, those of :data:`EDITABLE`; at least ``name``.
    :param region: where its data shall be; the deployment's own when left empty.
    :raises ConfigurationError: ``organization.wrong_region`` or ``organization.slug_taken``.
    """
    region = region or settings.DEPLOYMENT_REGION
    if region != settings.DEPLOYMENT_REGION:
        raise ConfigurationError(
            "organization.wrong_region",
            f"This installation keeps data in {Region(settings.DEPLOYMENT_REGION).label}. "
            f"An organization of {Region(region).label} needs the installation there.",
        )
    try:
        with transaction.atomic():
            organization = Organization.objects.create(slug=slug, region=region, **values)
    except IntegrityError as error:
        raise ConfigurationError(
            "organization.slug_taken", f"There is an organization with the short name {slug} already."
        ) from error
    TeamsTenant.objects.create(organization=organization, tenant_id=tenant_id)
    _let_staff_in(organization, tenant_id)
    _record("organization.created", organization, actor=actor, tenant=str(tenant_id), region=region)
    return organization


@transaction.atomic
def record_subscription(
    organization: Organization, *, reference: str, starts_on: date, ends_on: date | None, actor: str
) -> Subscription:
    """Note that the organization may use production; the same reference again changes its dates.

    :raises ConfigurationError: ``subscription.dates`` when it would end before it begins.
    """
    if ends_on is not None and ends_on < starts_on:
        raise ConfigurationError("subscription.dates", "The subscription would end before it begins.")
    subscription, _ = Subscription.objects.update_or_create(
        organization=organization,
        reference=reference,
        defaults={"starts_on": starts_on, "ends_on": ends_on, "recorded_by": actor},
    )
    until = ends_on.isoformat() if ends_on else ""
    _record("subscription.recorded", organization, actor=actor, reference=reference, ends_on=until)
    return subscription


@transaction.atomic
def authorize_organization(organization: Organization, *, environment: str, actor: str, now: datetime) -> bool:
    """Open an environment to the organization and make its keys; False when it was open already.

    :raises ConfigurationError: ``organization.test_first`` or ``organization.no_subscription`` for production.
    """
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.authorized_at(environment) is not None:
        return False
    if environment == Environment.PRODUCTION:
        _check_production(locked, today=now.date())
        locked.production_authorized_at = organization.production_authorized_at = now
    else:
        locked.test_authorized_at = organization.test_authorized_at = now
    locked.save(update_fields=["test_authorized_at", "production_authorized_at"])
    if not locked.signing_keys.filter(environment=environment).exists():
        create_keys(locked, environment=environment, now=now, activate=True)
    _record("organization.authorized", locked, actor=actor, environment=environment)
    return True


@transaction.atomic
def change_organization(
    organization: Organization, *, values: Mapping[str, Any], confirmed: set[str], actor: str, now: datetime
) -> list[str]:
    """Change what the organization says about itself and which prerequisites it confirms."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    changed = [name for name in EDITABLE if getattr(locked, name) != values[name]]
    differences = {name: {"was": getattr(locked, name), "now": values[name]} for name in changed}
    for name in changed:
        setattr(locked, name, values[name])
    before = set(locked.prerequisites)
    known = {item.key for item in PREREQUISITES} & confirmed
    kept = {key: entry for key, entry in locked.prerequisites.items() if key in known}
    locked.prerequisites = {key: kept.get(key, {"by": actor, "at": now.isoformat()}) for key in sorted(known)}
    if before != known:
        differences["prerequisites"] = {"was": sorted(before), "now": sorted(known)}
    if differences:
        locked.save()
        _record("organization.changed", locked, actor=actor, **differences)
    return sorted(differences)


def _check_production(organization: Organization, *, today: date) -> None:
    if organization.test_authorized_at is None:
        raise ConfigurationError("organization.test_first", "Authorize the organization for test first.")
    current = organization.subscriptions.filter(Q(ends_on=None) | Q(ends_on__gte=today), starts_on__lte=today)
    if not current.exists():
        raise ConfigurationError(
            "organization.no_subscription",
            "Production needs a subscription that is current. Record one with --subscription and --starts-on.",
        )


def _let_staff_in(organization: Organization, tenant_id: UUID) -> None:
    """Give those who signed in before there was an organization the roles they had then."""
    known = {str(role) for role in Role}
    users = User.objects.filter(entra_tenant_id=tenant_id, is_active=True)
    Membership.objects.bulk_create(
        Membership(organization=organization, user=user, role=role)
        for user in users
        for role in user.roles
        if role in known
    )


def _record(action: str, organization: Organization, *, actor: str, **data: Any) -> None:
    audit.record(action, organization_id=organization.pk, actor=actor, subject=organization, **data)
