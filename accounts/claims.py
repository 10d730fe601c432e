"""What a Microsoft Entra id_token says about a staff user, and whom we refuse.

Source: Microsoft identity platform, "ID token claims reference": ``oid`` and ``tid`` together
identify a user; ``preferred_username`` and ``email`` can change and decide nothing; ``roles`` holds the
app roles given to the user; ``idp`` names another directory for guests.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from accounts.models import Role
from core.errors import ConnectorError

# The tenant that all personal Microsoft accounts belong to.
PERSONAL_ACCOUNTS = uuid.UUID("9188040d-6c67-4c5b-b112-36a304b66dad")

_GUEST = 1  # value of the optional claim `acct`; members have 0
_ASK = "Sign in with your work account at this hospital."


class SignInRefused(ConnectorError):
    """A staff sign-in that must not go on; becomes a page with a reference number."""


@dataclass(frozen=True, kw_only=True)
class StaffClaims:
    """A staff user as the hospital's own Entra tenant vouches for them.

    :param username: the name shown on screen; never an identity.
    """

    tenant_id: uuid.UUID
    object_id: uuid.UUID
    username: str
    roles: frozenset[Role]

    @property
    def uid(self) -> str:
        """The identity under which allauth keeps the account: tenant and object id."""
        return f"{self.tenant_id}.{self.object_id}"

    def as_stored(self) -> dict[str, Any]:
        """Return what is kept with the account: no name, no e-mail address."""
        return {
            "tid": str(self.tenant_id),
            "oid": str(self.object_id),
            "username": self.username,
            "roles": sorted(self.roles),
        }

    @classmethod
    def from_stored(cls, kept: Mapping[str, Any]) -> Self:
        """Return the claims that :meth:`as_stored` kept."""
        return cls(
            tenant_id=uuid.UUID(kept["tid"]),
            object_id=uuid.UUID(kept["oid"]),
            username=kept["username"],
            roles=frozenset(Role(role) for role in kept["roles"]),
        )


def read_claims(token: Mapping[str, Any], *, tenant_id: str) -> StaffClaims:
    """Return what a verified id_token says.

    :param tenant_id: the only tenant whose people may sign in.
    :raises SignInRefused: ``sign_in.incomplete``, ``sign_in.personal_account``, ``sign_in.wrong_tenant``
        or ``sign_in.guest``. Having no role is not refused here, because it also ends earlier access.
    """
    try:
        tenant, person = uuid.UUID(str(token["tid"])), uuid.UUID(str(token["oid"]))
    except (KeyError, ValueError) as error:
        raise SignInRefused("sign_in.incomplete", "Microsoft did not say who you are. Try again.") from error
    if tenant == PERSONAL_ACCOUNTS:
        raise SignInRefused("sign_in.personal_account", f"This is a personal Microsoft account. {_ASK}")
    if str(tenant) != tenant_id.lower():
        raise SignInRefused("sign_in.wrong_tenant", f"This account belongs to another organization. {_ASK}")
    if _is_guest(token, tenant):
        raise SignInRefused("sign_in.guest", f"Guest accounts cannot be used here. {_ASK}")
    names = token.get("roles")
    roles = {Role.from_app_role(str(name)) for name in names} if isinstance(names, list) else set()
    return StaffClaims(
        tenant_id=tenant,
        object_id=person,
        username=str(token.get("preferred_username") or person),
        roles=frozenset(role for role in roles if role is not None),
    )


def _is_guest(token: Mapping[str, Any], tenant: uuid.UUID) -> bool:
    """Whether the account lives elsewhere: ``idp`` is there and names another directory than its own tenant."""
    identity_provider = str(token.get("idp") or "")
    is_own = identity_provider in {"", token.get("iss")} or str(tenant) in identity_provider.lower()
    return not is_own or token.get("acct") == _GUEST
