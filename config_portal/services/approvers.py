"""Who may approve: a user name at first, and from that person's first sign-in on one Microsoft account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Role, User
from config_portal.models import ApproverBinding, FhirEndpoint
from core import audit


class Standing(StrEnum):
    """Whether somebody may approve an endpoint, and if not, why."""

    MAY_APPROVE = "may_approve"
    NO_APPROVER = "no_approver"  # nobody is named
    NOT_NAMED = "not_named"  # somebody else is
    SIGN_IN_AGAIN = "sign_in_again"  # named after their last sign-in
    RENAMED = "renamed"  # the bound account has another user name now
    OTHER_ACCOUNT = "other_account"  # the user name belongs to another account now
    NO_ROLE = "no_role"  # neither analyst nor administrator any more
    OPERATOR = "operator"  # operators never approve
    SELF_FORBIDDEN = "self_forbidden"  # may edit, and the organization wants two people


@dataclass(frozen=True, kw_only=True)
class Approver:
    """Somebody who wants to approve, as this request knows them."""

    user: User
    roles: frozenset[str]

    @property
    def may_edit(self) -> bool:
        """Whether an approval of theirs is one of somebody who may edit the configuration too."""
        return Role.ADMIN in self.roles


def standing(endpoint: FhirEndpoint, approver: Approver) -> Standing:
    """Return whether ``approver`` may approve ``endpoint`` (with ``organization`` and binding at hand)."""
    user, binding = approver.user, binding_of(endpoint)
    is_named = user.username.casefold() == endpoint.approver_username.casefold()
    is_account = binding is not None and binding.is_account_of(user)
    reasons = (
        (user.is_superuser, Standing.OPERATOR),
        (not endpoint.approver_username, Standing.NO_APPROVER),
        (not is_named and not is_account, Standing.NOT_NAMED),
        (binding is None, Standing.SIGN_IN_AGAIN),
        (not is_account, Standing.OTHER_ACCOUNT),
        (not is_named, Standing.RENAMED),
        (not approver.roles & {Role.ADMIN, Role.ANALYST}, Standing.NO_ROLE),
        (approver.may_edit and endpoint.organization.forbids_self_approval, Standing.SELF_FORBIDDEN),
    )
    return next((found for is_so, found in reasons if is_so), Standing.MAY_APPROVE)


def binding_of(endpoint: FhirEndpoint) -> ApproverBinding | None:
    """Return the binding that holds for the approver named now, or None."""
    binding = getattr(endpoint, "approver_binding", None)
    return binding if binding is not None and binding.is_for(endpoint.approver_username) else None


@transaction.atomic
def bind(user: User, endpoints: Iterable[FhirEndpoint], *, now: datetime) -> None:
    """Bind ``user`` to those of ``endpoints`` that name them and are not bound to anybody under this name.

    Called at a sign-in, when Microsoft has just vouched for user name and account. A user name that was
    bound stays with its account: whoever gets the name later approves nothing until an administrator
    names the approver anew.
    """
    if user.entra_tenant_id is None or user.entra_object_id is None:
        return
    for endpoint in endpoints:
        if binding_of(endpoint) is not None:
            continue
        ApproverBinding.objects.update_or_create(
            endpoint=endpoint,
            defaults={
                "username": endpoint.approver_username,
                "tenant_id": user.entra_tenant_id,
                "object_id": user.entra_object_id,
                "bound_at": now,
            },
        )
        audit.record(
            "approver.bound",
            organization_id=endpoint.organization_id,
            actor=user.username,
            subject=endpoint,
            object_id=str(user.entra_object_id),
            tenant_id=str(user.entra_tenant_id),
        )


@transaction.atomic
def forget(endpoint: FhirEndpoint, *, actor: str) -> None:
    """End the binding, because an administrator names the approver anew: the next sign-in under the name counts."""
    removed, _ = ApproverBinding.objects.filter(endpoint=endpoint).delete()
    if removed:
        audit.record("approver.unbound", organization_id=endpoint.organization_id, actor=actor, subject=endpoint)


def endpoints_naming(user: User, endpoints: QuerySet[FhirEndpoint]) -> QuerySet[FhirEndpoint]:
    """Return the ``endpoints`` that name ``user`` as approver."""
    return endpoints.filter(approver_username__iexact=user.username).select_related("approver_binding")
