"""Who may work for an organization follows from Entra, at each sign-in."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from accounts.models import Role, User
from accounts.signals import staff_signed_in
from config_portal.models import FhirEndpoint, Membership, Organization
from config_portal.services import approvers


@receiver(staff_signed_in)
@transaction.atomic
def renew_memberships(user: User, roles: Iterable[Role], tenant_id: UUID, **_: object) -> None:
    """Give ``user`` exactly ``roles`` in every organization of their tenant, and none elsewhere."""
    Membership.objects.filter(user=user).delete()
    organizations = Organization.objects.filter(teams_tenant__tenant_id=tenant_id)
    Membership.objects.bulk_create(
        Membership(organization=organization, user=user, role=role) for organization in organizations for role in roles
    )


@receiver(staff_signed_in)
def bind_approver(user: User, roles: Iterable[Role], tenant_id: UUID, **_: object) -> None:
    """Bind somebody who signs in for the first time as the approver that an administrator named."""
    if not {Role.ADMIN, Role.ANALYST} & set(roles):
        return
    own = FhirEndpoint.objects.filter(organization__teams_tenant__tenant_id=tenant_id)
    approvers.bind(user, approvers.endpoints_naming(user, own), now=timezone.now())
