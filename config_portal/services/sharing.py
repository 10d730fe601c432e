"""Affiliates that work in the same Epic share its FHIR base URL by invitation, without asking anybody else."""

import secrets
from datetime import datetime, timedelta

from django.db import connection, transaction

from config_portal.models import BaseUrlInvitation, FhirEndpoint, Organization
from core import audit, crypto
from core.errors import ConfigurationError

GOOD_FOR = timedelta(days=14)
_CODE_BYTES = 16


@transaction.atomic
def invite_affiliate(
    endpoint: FhirEndpoint, *, affiliate: str, actor: str, now: datetime
) -> tuple[BaseUrlInvitation, str]:
    """Return an invitation and its code, which is shown once and kept nowhere."""
    code = secrets.token_urlsafe(_CODE_BYTES)
    invitation = BaseUrlInvitation.objects.create(
        organization_id=endpoint.organization_id,
        endpoint=endpoint,
        affiliate=affiliate,
        code_index=_index(code),
        created_by=actor,
        expires_at=now + GOOD_FOR,
    )
    audit.record(
        "base_url.invited",
        organization_id=endpoint.organization_id,
        actor=actor,
        subject=endpoint,
        affiliate=affiliate,
    )
    return invitation, code


@transaction.atomic
def revoke_invitation(invitation: BaseUrlInvitation, *, actor: str, now: datetime) -> None:
    """Make the code useless; an invitation that was accepted stays what it is."""
    changed = BaseUrlInvitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
        revoked_at=now
    )
    if changed:
        audit.record(
            "base_url.invitation_revoked",
            organization_id=invitation.organization_id,
            actor=actor,
            subject=invitation.endpoint,
            affiliate=invitation.affiliate,
        )


def claim_base_url(organization: Organization, base_url: str, *, code: str, actor: str, now: datetime) -> None:
    """Let ``organization`` use ``base_url``; call it in the transaction that stores the endpoint.

    :param base_url: in normal form.
    :param code: of an invitation; '' without one.
    :raises ConfigurationError: ``endpoint.base_url_listed`` when it has this address already,
        ``endpoint.base_url_taken`` when another organization uses it, ``endpoint.invitation_unknown`` for a
        code that is wrong, used, revoked, too old, or meant for another address.
    """
    with connection.cursor() as cursor:  # two organizations that claim it at once take turns
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"base_url:{base_url}"])
    users = FhirEndpoint.objects.filter(base_url=base_url)
    own = users.filter(organization=organization).first()
    if own is not None:
        raise ConfigurationError("endpoint.base_url_listed", f"This address is on your list already, as {own.name}.")
    if not users.exists():
        return
    if not code:
        raise ConfigurationError(
            "endpoint.base_url_taken",
            "Another organization here uses this address. If you share its Epic, ask its administrator for an "
            "invitation code and enter it below.",
        )
    _accept(organization, base_url, code=code, actor=actor, now=now)


def _accept(organization: Organization, base_url: str, *, code: str, actor: str, now: datetime) -> None:
    usable = BaseUrlInvitation.objects.select_for_update(of=("self",)).filter(
        code_index=_index(code.strip()),
        endpoint__base_url=base_url,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=now,
    )
    invitation = usable.select_related("endpoint").first()
    if invitation is None:
        raise ConfigurationError(
            "endpoint.invitation_unknown",
            "This invitation code cannot be used for this address: it is mistyped, was used, or is older than 14 days.",
        )
    invitation.accepted_at, invitation.accepted_by = now, organization
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    for chain in (invitation.organization_id, organization.pk):
        audit.record(
            "base_url.shared",
            organization_id=chain,
            actor=actor,
            subject=invitation.endpoint,
            affiliate=organization.name,
        )


def _index(code: str) -> str:
    return crypto.index(code, purpose="base_url.invitation")
