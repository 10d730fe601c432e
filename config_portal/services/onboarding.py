"""A hospital asks for access; the operator accepts or declines."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from config_portal.models import AccessRequest, Environment, Organization
from config_portal.services.organizations import authorize_organization, create_organization
from core import audit
from core.errors import ConfigurationError

_LONGEST_SLUG = 44


@transaction.atomic
def request_access(user: User, *, values: Mapping[str, Any], confirmed: set[str], now: datetime) -> AccessRequest:
    """Note the wish of ``user``; asking twice is asking once. With ``AUTHORIZE_TEST_AUTOMATICALLY`` it is granted.

    :param values: name, tenant_id, region, epic_contact_name, epic_contact_email.
    :raises ConfigurationError: ``access.other_tenant`` for a tenant that is not the user's own,
        ``organization.wrong_region``.
    """
    if values["tenant_id"] != user.entra_tenant_id:
        raise ConfigurationError(
            "access.other_tenant", "You signed in from another tenant. Somebody of that tenant has to ask."
        )
    marks = {key: {"by": user.username, "at": now.isoformat()} for key in sorted(confirmed)}
    request, is_new = AccessRequest.objects.get_or_create(
        tenant_id=values["tenant_id"],
        name=values["name"],
        state=AccessRequest.State.WAITING,
        defaults={**values, "requested_by": user, "prerequisites": marks},
    )
    if is_new:
        audit.record("access.requested", actor=user.username, subject=request, name=request.name)
        if settings.AUTHORIZE_TEST_AUTOMATICALLY:
            accept_request(request, actor="system", now=now)
    return request


@transaction.atomic
def accept_request(request: AccessRequest, *, actor: str, now: datetime) -> Organization:
    """Create the organization that was asked for and open test to it.

    :raises ConfigurationError: ``access.decided`` when somebody decided already, or as
        :func:`~config_portal.services.organizations.create_organization`.
    """
    locked = _undecided(request)
    organization = create_organization(
        slug=_free_slug(locked.name),
        tenant_id=locked.tenant_id,
        region=locked.region,
        values={
            "name": locked.name,
            "epic_contact_name": locked.epic_contact_name,
            "epic_contact_email": locked.epic_contact_email,
            "prerequisites": locked.prerequisites,
        },
        actor=actor,
    )
    authorize_organization(organization, environment=Environment.TEST, actor=actor, now=now)
    locked.state, locked.decided_at, locked.organization = AccessRequest.State.ACCEPTED, now, organization
    locked.save()
    return organization


@transaction.atomic
def decline_request(request: AccessRequest, *, reason: str, actor: str, now: datetime) -> None:
    """Decline, with a reason that the person who asked is shown.

    :raises ConfigurationError: ``access.decided``.
    """
    locked = _undecided(request)
    locked.state, locked.reason, locked.decided_at = AccessRequest.State.DECLINED, reason, now
    locked.save()
    audit.record("access.declined", actor=actor, subject=locked, reason=reason)


def latest_request(user: User) -> AccessRequest | None:
    """Return what people of the user's tenant asked for last."""
    if user.entra_tenant_id is None:
        return None
    return AccessRequest.objects.filter(tenant_id=user.entra_tenant_id).first()


def _undecided(request: AccessRequest) -> AccessRequest:
    locked = AccessRequest.objects.select_for_update().get(pk=request.pk)
    if locked.state != AccessRequest.State.WAITING:
        raise ConfigurationError("access.decided", f"This request is {locked.get_state_display().lower()} already.")
    return locked


def _free_slug(name: str) -> str:
    """Return a short name made of ``name`` that no organization has."""
    base = slugify(name)[:_LONGEST_SLUG] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for number in range(1, len(taken) + 2) if (slug := _numbered(base, number)) not in taken)


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"
