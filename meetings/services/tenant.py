"""Set up the Microsoft 365 tenant of an organization: application, organizer, options, and what proves us there.

Application, organizer and options are a draft until they are approved. A certificate or secret acts at once,
and only after Entra has accepted it, so that a mistake never takes a working one's place.
"""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.db import transaction

from config_portal.models import Organization, TeamsTenant
from config_portal.services.keys import new_certificate
from core import audit
from core.errors import ConfigurationError
from core.http import build_session
from core.models import AuditEvent
from meetings.providers.teams import token
from meetings.providers.teams.connection import ClientCertificate, TeamsConnection
from meetings.services.suppliers import teams_connection

EDITABLE = (
    "client_id", "organizer_mode", "organizer_object_id", "lobby_scope", "allowed_presenters", "meeting_chat",
)  # fmt: skip
WARN_BEFORE = (timedelta(days=7), timedelta(days=30))

logger = logging.getLogger(__name__)


@transaction.atomic
def save_tenant(tenant: TeamsTenant, *, values: Mapping[str, Any], actor: str) -> list[str]:
    """Change the draft and return the names of what changed."""
    locked = TeamsTenant.objects.select_for_update().get(pk=tenant.pk)
    changed = [name for name in EDITABLE if getattr(locked, name) != values[name]]
    differences = {name: {"was": str(getattr(locked, name) or ""), "now": str(values[name] or "")} for name in changed}
    for name in changed:
        setattr(locked, name, values[name])
    if changed:
        locked.save(update_fields=[*changed, "updated_at"])
        _record("teams.changed", locked, actor=actor, **differences)
    return changed


@transaction.atomic
def make_certificate(tenant: TeamsTenant, *, actor: str, now: datetime) -> TeamsTenant:
    """Make the next certificate; it is used once it is registered in Entra. One that waits already is kept."""
    locked = TeamsTenant.objects.select_for_update().get(pk=tenant.pk)
    if locked.next_certificate:
        return locked
    made = new_certificate(name="EHR connector, Microsoft Graph", now=now)
    locked.next_certificate, locked.next_certificate_key = made.certificate, made.private_key
    locked.next_certificate_expires_at = made.expires_at
    locked.save()
    _record("teams.certificate_made", locked, actor=actor, thumbprint=thumbprint(made.certificate))
    return locked


def use_certificate(tenant: TeamsTenant, *, actor: str) -> None:
    """Try the next certificate at Entra and use it from now on; the one before it is forgotten.

    Must not be called in a transaction.

    :raises ConfigurationError: ``teams.no_certificate``, or ``entra.certificate_unknown`` while Entra does
        not accept it; :raises UpstreamUnavailable: Entra cannot be reached.
    """
    if not (tenant.next_certificate and tenant.next_certificate_key):
        raise ConfigurationError("teams.no_certificate", "There is no certificate that waits to be used.")
    pair = ClientCertificate(certificate=tenant.next_certificate, private_key=tenant.next_certificate_key)
    _try(tenant, certificate=pair)
    with transaction.atomic():
        locked = TeamsTenant.objects.select_for_update().get(pk=tenant.pk)
        if locked.next_certificate != tenant.next_certificate:
            raise ConfigurationError("teams.no_certificate", "Somebody else has just used or discarded it.")
        locked.certificate, locked.certificate_key = locked.next_certificate, locked.next_certificate_key
        locked.certificate_expires_at = locked.next_certificate_expires_at
        _clear_next(locked)
        locked.save()
        _record("teams.certificate_used", locked, actor=actor, thumbprint=thumbprint(locked.certificate))


@transaction.atomic
def discard_certificate(tenant: TeamsTenant, *, actor: str) -> None:
    """Throw the certificate away that waits to be used."""
    locked = TeamsTenant.objects.select_for_update().get(pk=tenant.pk)
    if locked.next_certificate:
        print_of_it = thumbprint(locked.next_certificate)
        _clear_next(locked)
        locked.save()
        _record("teams.certificate_discarded", locked, actor=actor, thumbprint=print_of_it)


def save_secret(tenant: TeamsTenant, *, secret: str, expires_on: date, actor: str) -> None:
    """Try the client secret at Entra and keep it encrypted; a certificate goes on being preferred.

    :raises ConfigurationError: ``entra.credentials_refused``; :raises UpstreamUnavailable: Entra cannot be reached.
    """
    _try(tenant, secret=secret)
    with transaction.atomic():
        locked = TeamsTenant.objects.select_for_update().get(pk=tenant.pk)
        locked.client_secret, locked.client_secret_expires_on = secret, expires_on
        locked.save()
        _record("teams.secret_saved", locked, actor=actor, expires_on=expires_on.isoformat())


@transaction.atomic
def remove_secret(tenant: TeamsTenant, *, actor: str) -> None:
    """Forget the client secret, once a certificate has taken its place.

    :raises ConfigurationError: ``teams.secret_needed`` while there is no certificate.
    """
    locked = TeamsTenant.objects.select_for_update().get(pk=tenant.pk)
    if not locked.certificate:
        raise ConfigurationError("teams.secret_needed", "Use a certificate first: without either no meeting is made.")
    if locked.client_secret is not None:
        locked.client_secret, locked.client_secret_expires_on = None, None
        locked.save()
        _record("teams.secret_removed", locked, actor=actor)


def thumbprint(certificate: str) -> str:
    """Return the SHA-1 thumbprint of a PEM certificate in capitals, as the Entra admin center lists it."""
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    return loaded.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, compared by eye


def warn_of_expiry(*, now: datetime) -> int:
    """Write once into each audit trail that a credential lapses within 30, and again within 7 days."""
    tenants = TeamsTenant.objects.select_related("organization").defer("client_secret", "certificate_key")
    return sum(_warn(tenant, now=now) for tenant in tenants.iterator(chunk_size=500))


def _warn(tenant: TeamsTenant, *, now: datetime) -> bool:
    expires_at = tenant.credential_expires_at
    near = [span for span in WARN_BEFORE if expires_at is not None and expires_at - now <= span]
    if expires_at is None or not near:
        return False
    said = {"days": near[0].days, "expires_at": expires_at.isoformat()}
    known = AuditEvent.objects.filter(
        organization_id=tenant.organization_id, action="teams.credential_expires", data=said
    )
    if known.exists():
        return False
    _record("teams.credential_expires", tenant, actor="system", **said)
    logger.warning("a Teams credential expires", extra={"tenant": str(tenant.pk), "days": near[0].days})
    return True


def _try(tenant: TeamsTenant, *, certificate: ClientCertificate | None = None, secret: str = "") -> None:
    """Fetch a token with this proof and no other.

    :raises ConfigurationError: ``teams.not_configured`` without an application, or when Entra refuses.
    """
    if tenant.client_id is None:
        raise ConfigurationError("teams.not_configured", "Enter the application's client id first, and save it.")
    usual = teams_connection(tenant)
    proof = TeamsConnection(
        entra_base_url=usual.entra_base_url,
        graph_base_url=usual.graph_base_url,
        tenant_id=usual.tenant_id,
        client_id=usual.client_id,
        client_secret=secret,
        certificate=certificate,
    )
    token.forget_all()
    with build_session() as session:
        token.access_token(proof, session)


def _clear_next(tenant: TeamsTenant) -> None:
    tenant.next_certificate, tenant.next_certificate_key, tenant.next_certificate_expires_at = "", None, None


def _record(action: str, tenant: TeamsTenant, *, actor: str, **data: Any) -> None:
    audit.record(action, organization_id=tenant.organization_id, actor=actor, subject=tenant, **data)


def tenant_of(organization: Organization) -> TeamsTenant | None:
    """Return the organization's tenant; None before anybody has named it."""
    return TeamsTenant.objects.filter(organization=organization).first()
