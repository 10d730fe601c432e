"""Pin and unpin the certificates of senders."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from config_portal.models import FhirEndpoint
from core import audit
from core.errors import ConfigurationError
from hl7intake.certificates import CertificateDetails, read_certificate
from hl7intake.models import SenderCertificate

# Days before the end at which somebody is warned, the most urgent first.
WARNING_DAYS = (7, 30, 60)

logger = logging.getLogger(__name__)


def check_certificate(data: bytes, *, now: datetime) -> CertificateDetails:
    """Return what is in ``data`` if it could be registered now; nothing is kept.

    :raises ConfigurationError: ``certificate.<reason>`` for a file that cannot be used,
        ``certificate.in_use`` when it already opens a connection.
    """
    details = read_certificate(data, now=now)
    if SenderCertificate.objects.filter(fingerprint=details.fingerprint, revoked_at=None).exists():
        raise _in_use()
    return details


def add_certificate(endpoint: FhirEndpoint, data: bytes, *, actor: str, now: datetime) -> SenderCertificate:
    """Let the holder of the certificate in ``data`` send for ``endpoint``, from the next connection on.

    :raises ConfigurationError: as :func:`check_certificate`.
    """
    details = read_certificate(data, now=now)
    certificate = SenderCertificate(
        organization_id=endpoint.organization_id,
        endpoint=endpoint,
        added_by=actor,
        subject=details.subject,
        fingerprint=details.fingerprint,
        spki_sha256=details.spki_sha256,
        pem=details.pem,
        not_before=details.not_before,
        not_after=details.not_after,
    )
    try:
        with transaction.atomic():
            certificate.save(force_insert=True)
            _record("certificate.added", certificate, actor=actor)
    except IntegrityError as error:
        raise _in_use() from error
    return certificate


def _in_use() -> ConfigurationError:
    return ConfigurationError(
        "certificate.in_use",
        "This certificate is already registered. Test and production need a certificate each.",
    )


@transaction.atomic
def revoke(certificate: SenderCertificate, *, actor: str, now: datetime) -> None:
    """Refuse the certificate from now on; its open connections are closed within a minute."""
    updated = SenderCertificate.objects.filter(pk=certificate.pk, revoked_at=None).update(revoked_at=now)
    if updated:
        certificate.revoked_at = now
        _record("certificate.revoked", certificate, actor=actor)


def warn_of_expiry(*, now: datetime) -> int:
    """Warn 60, 30 and 7 days before a certificate ends, once each; return how many warnings were given.

    A warning is an audit event and a line of log; e-mails follow (:mod:`hl7intake.services.emailing`). The portal
    shows the days left at all times.
    """
    ending = SenderCertificate.objects.ending_before(now + timedelta(days=WARNING_DAYS[-1]), now=now)
    return sum(_warn(certificate, now=now) for certificate in ending.select_related("endpoint"))


def _warn(certificate: SenderCertificate, *, now: datetime) -> bool:
    left = certificate.not_after - now
    step = next(days for days in WARNING_DAYS if left <= timedelta(days=days))
    due = SenderCertificate.objects.filter(pk=certificate.pk).filter(Q(warned_days=None) | Q(warned_days__gt=step))
    with transaction.atomic():
        if not due.update(warned_days=step):
            return False
        audit.record(
            "certificate.expires_soon",
            organization_id=certificate.organization_id,
            subject=certificate,
            endpoint=str(certificate.endpoint_id),
            days_left=left.days,
            ends_at=certificate.not_after.isoformat(),
        )
    logger.warning("sender certificate expires soon", extra={"endpoint": certificate.endpoint.name, "count": left.days})
    return True


def _record(action: str, certificate: SenderCertificate, *, actor: str) -> None:
    audit.record(
        action,
        organization_id=certificate.organization_id,
        actor=actor,
        subject=certificate,
        fingerprint=certificate.fingerprint,
        endpoint=str(certificate.endpoint_id),
    )
