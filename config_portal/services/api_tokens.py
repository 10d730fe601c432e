"""Make, find and revoke the tokens of scripts."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config_portal.models import ApiToken, Organization
from config_portal.models.api_token import Scope
from core import audit
from core.errors import ConfigurationError

PREFIX = "ehc_"
_RANDOM_BYTES = 32
_HINT = 8
LONGEST_DAYS = 365
# Writing the time of use at every call would make every call a write.
_USE_RESOLUTION = timedelta(minutes=1)


@transaction.atomic
def create_token(
    organization: Organization, *, name: str, scopes: Sequence[str], days: int, actor: str, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token; return its row and the token itself, which is shown this once.

    :raises ConfigurationError: ``api.token_invalid`` without a name, with an unknown scope, or for too long.
    """
    wanted = sorted(set(scopes))
    if not (name.strip() and wanted and set(wanted) <= set(Scope.values) and 0 < days <= LONGEST_DAYS):
        raise ConfigurationError(
            "api.token_invalid", f"A token needs a name, known scopes, and 1 to {LONGEST_DAYS} days."
        )
    secret = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    token = ApiToken.objects.create(
        organization=organization,
        name=name.strip()[:80],
        digest=_digest(secret),
        hint=secret[:_HINT],
        scopes=wanted,
        created_by=actor,
        expires_at=now + timedelta(days=days),
    )
    _record("api_token.created", token, actor=actor, name=token.name, scopes=wanted, days=days)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: str, now: datetime) -> None:
    """Make a token useless at once; revoking it again changes nothing."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, revoked_by=actor)
    if changed:
        _record("api_token.revoked", token, actor=actor, name=token.name)


def find_token(secret: str, *, now: datetime) -> ApiToken | None:
    """Return the usable token that ``secret`` is, and note that it was used; None for any other text."""
    usable = ApiToken.objects.usable(now).select_related("organization")
    token = usable.filter(digest=_digest(secret)).first() if secret.startswith(PREFIX) else None
    if token is not None and (token.last_used_at is None or now - token.last_used_at > _USE_RESOLUTION):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(action: str, token: ApiToken, *, actor: str, **data: Any) -> None:
    audit.record(action, organization_id=token.organization_id, actor=actor, subject=token, **data)
