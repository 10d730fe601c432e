"""Replace key pairs without a moment in which Epic refuses us: publish → wait → switch → retire.

Epic keeps a key set for up to 29 hours and fetches it anew at most once per refused signature
(Epic OAuth 2.0 specification, "JWK Set URL"), so that a new key is not used before that time is over,
unless Epic has proven that it knows it. The old one stays published for a day after the switch: a
signature made just before must still hold when Epic looks the key up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from config_portal.models import Environment, Organization, SigningKey
from config_portal.services.keys import create_keys
from core import audit
from core.errors import ConfigurationError

EPIC_KEEPS = timedelta(hours=29)
RETIRE_AFTER = timedelta(hours=24)
# Graph goes on encrypting for the old certificate until a subscription is renewed; one lasts three days.
NOTIFICATION_RETIRE_AFTER = timedelta(days=4)

_State, _Purpose = SigningKey.State, SigningKey.Purpose
SIGNING = (_Purpose.SMART_RS384, _Purpose.SMART_ES384)


@dataclass(frozen=True)
class KeySet:
    """All keys of one organization in one environment that are not retired."""

    environment: str
    keys: Sequence[SigningKey]

    def in_state(self, state: str) -> list[SigningKey]:
        """Return the keys in one state, oldest first."""
        return [key for key in self.keys if key.state == state]

    @property
    def upcoming(self) -> list[SigningKey]:
        """Keys that are published and wait to be used."""
        return self.in_state(_State.PUBLISHED)

    @property
    def published_at(self) -> datetime | None:
        """When the upcoming keys were published; None when no rotation is under way."""
        return max((key.created_at for key in self.upcoming), default=None)

    @property
    def switch_at(self) -> datetime | None:
        """When Epic has the upcoming keys at the latest."""
        published_at = self.published_at
        return published_at + EPIC_KEEPS if published_at else None

    @property
    def is_known_to_epic(self) -> bool:
        """Whether Epic has accepted a signature of each upcoming key."""
        signing = [key for key in self.upcoming if key.purpose in SIGNING]
        return bool(signing) and all(key.confirmed_at for key in signing)

    @property
    def retire_at(self) -> datetime | None:
        """When the last replaced key will be retired; None when there is none."""
        return max((retires_at(key) for key in self.in_state(_State.REPLACED)), default=None)


def retires_at(key: SigningKey) -> datetime:
    """Return when a replaced key stops being published."""
    after = NOTIFICATION_RETIRE_AFTER if key.purpose == _Purpose.NOTIFICATION else RETIRE_AFTER
    return (key.replaced_at or key.created_at) + after


def key_sets(organization: Organization) -> list[KeySet]:
    """Return the keys of both environments, with one query."""
    keys = list(organization.signing_keys.published().defer("private_key").order_by("purpose", "created_at"))
    return [KeySet(name, [key for key in keys if key.environment == name]) for name in Environment.values]


@transaction.atomic
def start_rotation(organization: Organization, *, environment: str, actor: str, now: datetime) -> None:
    """Publish a new key for every purpose; a rotation that is under way goes on undisturbed.

    :raises ConfigurationError: ``keys.missing`` when there is nothing to rotate.
    """
    _lock(organization)
    keys = organization.signing_keys.filter(environment=environment)
    if not keys.filter(state=_State.ACTIVE).exists():
        raise ConfigurationError("keys.missing", "This organization has no keys yet. Authorize it first.")
    if keys.filter(state=_State.PUBLISHED).exists():
        return
    create_keys(organization, environment=environment, now=now, activate=False)
    _record("keys.rotation_started", organization, environment=environment, actor=actor)


@transaction.atomic
def switch_keys(
    organization: Organization, *, environment: str, actor: str, now: datetime, is_forced: bool = False
) -> bool:
    """Use the published keys from now on; False when there are none.

    :param is_forced: do not wait for Epic: signatures may be refused until Epic has fetched the keys.
    :raises ConfigurationError: ``keys.too_early``, while Epic may not have them yet.
    """
    _lock(organization)
    keys = organization.signing_keys.filter(environment=environment)
    upcoming = list(keys.filter(state=_State.PUBLISHED))
    if not upcoming:
        return False
    state = KeySet(environment, upcoming)
    is_due = state.is_known_to_epic or (state.switch_at is not None and state.switch_at <= now)
    if not (is_due or is_forced):
        raise ConfigurationError(
            "keys.too_early", "Epic may not have the new keys yet; it would refuse them. Wait, or check with Epic."
        )
    keys.filter(state=_State.ACTIVE).update(state=_State.REPLACED, replaced_at=now)
    keys.filter(pk__in=[key.pk for key in upcoming]).update(state=_State.ACTIVE, activated_at=now)
    _record("keys.switched", organization, environment=environment, actor=actor, is_forced=is_forced)
    return True


@transaction.atomic
def revoke_replaced(organization: Organization, *, environment: str, actor: str, now: datetime) -> int:
    """Stop publishing replaced keys at once, as after a leak; return how many there were."""
    _lock(organization)
    replaced = organization.signing_keys.filter(environment=environment, state=_State.REPLACED)
    count = replaced.update(state=_State.RETIRED, retired_at=now)
    if count:
        _record("keys.revoked", organization, environment=environment, actor=actor, count=count)
    return count


def advance_rotations(*, now: datetime) -> int:
    """Switch and retire whatever is due, everywhere; return how many organizations moved on."""
    waiting = SigningKey.objects.filter(state__in=(_State.PUBLISHED, _State.REPLACED))
    pairs = waiting.values_list("organization_id", "environment").distinct()
    return sum(_advance(organization_id, environment=environment, now=now) for organization_id, environment in pairs)


@transaction.atomic
def _advance(organization_id: UUID, *, environment: str, now: datetime) -> bool:
    organization = Organization.objects.select_for_update().get(pk=organization_id)
    keys = KeySet(environment, list(organization.signing_keys.filter(environment=environment)))
    is_moved = False
    if keys.upcoming and (keys.is_known_to_epic or (keys.switch_at or now) <= now):
        is_moved = switch_keys(organization, environment=environment, actor="system", now=now)
    due = [key.pk for key in keys.in_state(_State.REPLACED) if retires_at(key) <= now]
    if due:
        organization.signing_keys.filter(pk__in=due).update(state=_State.RETIRED, retired_at=now)
        _record("keys.retired", organization, environment=environment, actor="system", count=len(due))
    return is_moved or bool(due)


def _lock(organization: Organization) -> None:
    """Let one rotation of an organization move at a time."""
    Organization.objects.select_for_update().get(pk=organization.pk)


def _record(action: str, organization: Organization, *, environment: str, actor: str, **data: Any) -> None:
    audit.record(
        action, organization_id=organization.pk, actor=actor, subject=organization, environment=environment, **data
    )
