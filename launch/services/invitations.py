"""Invitations: a way into one visit for family, an interpreter or a colleague, made and taken back by a provider."""

import base64
import hashlib
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet

from config_portal.services.connections import approved_configuration
from core import audit, crypto
from core.context import request_id
from core.errors import LaunchRefused
from launch.models import Invitation, LaunchAttempt
from launch.services.joining import check_invitation, check_window
from visits.models import Visit

# The same invitation serves until the visit may no longer be joined, and never longer than this.
LASTS = timedelta(hours=12)
MOST_OPEN = 20  # of one visit
_TOKEN_BYTES = 16


def invite(attempt: LaunchAttempt, *, role: str, now: datetime) -> Invitation:
    """Make an invitation to the visit of the provider behind ``attempt``.

    :param role: an ``Invitation.Role``.
    :raises LaunchRefused: ``invitation.too_many``, or ``launch.visit_ended`` when the visit does not take place.
    :raises ConfigurationError: when the endpoint is paused.
    """
    assert attempt.visit is not None  # noqa: S101 - guarded by visit_page
    with transaction.atomic():
        visit = Visit.objects.select_for_update(of=("self",)).get(pk=attempt.visit.pk)
        if not visit.is_scheduled:
            raise LaunchRefused("launch.visit_ended")
        if Invitation.objects.filter(visit=visit, revoked_at=None, expires_at__gt=now).count() >= MOST_OPEN:
            raise LaunchRefused("invitation.too_many", "Take one back before you invite somebody else.")
        invitation = Invitation(
            organization_id=attempt.organization_id,
            visit=visit,
            role=role,
            created_at=now,
            expires_at=_expires_at(attempt, visit, now=now),
        )
        invitation.token_index = _index(token_of(invitation))
        invitation.save()
        _record("invitation.created", attempt, invitation)
    return invitation


def revoke(attempt: LaunchAttempt, invitation_id: uuid.UUID, *, now: datetime) -> None:
    """Take an invitation to the visit of ``attempt`` back; one of another visit, or taken back before, is left."""
    with transaction.atomic():
        invitations = Invitation.objects.select_for_update().filter(visit=attempt.visit, revoked_at=None)
        invitation = invitations.filter(pk=invitation_id).first()
        if invitation is None:
            return
        invitation.revoked_at = now
        invitation.save(update_fields=["revoked_at"])
        _record("invitation.revoked", attempt, invitation)


def of_visit(visit: Visit) -> QuerySet[Invitation]:
    """Return the invitations to ``visit``, oldest first; ``uses`` is how often each was used."""
    return Invitation.objects.filter(visit=visit).annotate(uses=Count("attempts")).order_by("created_at")


def find_invitation(token: str, *, now: datetime) -> Invitation | None:
    """Return the invitation with this token; None for one that never was and for one that is over alike."""
    invitations = Invitation.objects.select_related("visit__endpoint__organization", "visit__organization")
    found = invitations.select_related("visit__endpoint__approved_version").filter(token_index=_index(token)).first()
    return found if found is not None and now < found.expires_at else None


def check_in(invitation: Invitation, *, now: datetime, only_test: bool) -> LaunchAttempt:
    """Let the holder of an invitation in, or, with ``only_test``, test their device before the window opens.

    :raises LaunchRefused: ``join.revoked``, ``join.cancelled``, ``join.too_early`` or ``join.too_late``.
    :raises ConfigurationError: when the endpoint is paused.
    """
    check_invitation(invitation, now=now)
    approved_configuration(invitation.visit.endpoint)  # a pause stops everybody
    if not only_test:
        check_window(invitation.visit, now=now)
    return LaunchAttempt.objects.create(
        organization_id=invitation.organization_id,
        endpoint=invitation.visit.endpoint,
        visit=invitation.visit,
        invitation=invitation,
        audience=LaunchAttempt.Audience.GUEST,
        role=invitation.role,
        state=LaunchAttempt.State.CHECKING if only_test else LaunchAttempt.State.ARRIVED,
        request_id=request_id(),
        finished_at=now,
    )


def token_of(invitation: Invitation) -> str:
    """Return the 22 characters of ``invitation``: 128 bits that nobody can guess without our key."""
    return base64.urlsafe_b64encode(crypto.derive(f"invite|{invitation.pk}")[:_TOKEN_BYTES]).decode().rstrip("=")


def url_of(invitation: Invitation) -> str:
    """Return the address to pass on, such as ``https://visits.example.org/i/…``."""
    return f"{settings.PUBLIC_URL}/i/{token_of(invitation)}"


def _expires_at(attempt: LaunchAttempt, visit: Visit, *, now: datetime) -> datetime:
    _, after = approved_configuration(attempt.endpoint).join_window
    return min(visit.ends_at + after, now + LASTS) if visit.ends_at is not None else now + LASTS


def _index(token: str) -> str:
    # As for join links: the token is random enough, and the index key keeps the hash out of reach.
    return crypto.index(hashlib.sha256(token.encode()).hexdigest(), purpose="invitation")


def _record(action: str, attempt: LaunchAttempt, invitation: Invitation) -> None:
    audit.record(
        action,
        organization_id=attempt.organization_id,
        actor="provider",
        subject=invitation,
        reference=attempt.reference,
        role=invitation.role,
    )
