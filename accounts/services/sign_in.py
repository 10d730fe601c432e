"""Bring our record of a staff user to what Entra said at this sign-in."""

from django.db import transaction

from accounts.claims import SignInRefused, StaffClaims
from accounts.models import User
from accounts.signals import staff_signed_in
from core import audit

_LONGEST_USERNAME = 150
_DIGITS = 8


def find_user(claims: StaffClaims) -> User | None:
    """Return the user with this identity, if they were here before."""
    return User.objects.filter(entra_tenant_id=claims.tenant_id, entra_object_id=claims.object_id).first()


@transaction.atomic
def renew(user: User, claims: StaffClaims, *, action: str) -> None:
    """Store user name and roles as Entra has them now and announce it.

    :param action: what the audit trail calls it: ``staff.signed_in`` or ``staff.confirmed``.
    """
    user.username = available_username(claims)
    user.roles = sorted(claims.roles)
    user.save(update_fields=["username", "roles"])
    audit.record(action, actor=user.username, subject=user, roles=user.roles)
    staff_signed_in.send(sender=User, user=user, roles=set(claims.roles), tenant_id=claims.tenant_id)


def require_role(claims: StaffClaims) -> None:
    """Refuse somebody whom Entra gives no role here; if they had one, their access ends now.

    :raises SignInRefused: ``sign_in.no_role``.
    """
    if claims.roles:
        return
    user = find_user(claims)
    if user is not None:
        _end_access(user, claims)
    raise SignInRefused("sign_in.no_role", "Your account has no role in the EHR connector.")


def available_username(claims: StaffClaims) -> str:
    """Return the user name from Entra, with part of the object id when another account has it.

    Entra gives a name of somebody who left to somebody else; the account stays the other person's.
    """
    name = claims.username.lower()[:_LONGEST_USERNAME]
    others = User.objects.exclude(entra_tenant_id=claims.tenant_id, entra_object_id=claims.object_id)
    if not others.filter(username=name).exists():
        return name
    suffix = f"+{claims.object_id.hex[:_DIGITS]}"
    return name[: _LONGEST_USERNAME - len(suffix)] + suffix


@transaction.atomic
def _end_access(user: User, claims: StaffClaims) -> None:
    user.roles = []
    user.save(update_fields=["roles"])
    audit.record("staff.access_ended", actor=user.username, subject=user)
    # The same news with no roles: whoever keeps memberships removes them all.
    staff_signed_in.send(sender=User, user=user, roles=set(), tenant_id=claims.tenant_id)
