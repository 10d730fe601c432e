"""Remember who was not let in, and why."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from core import audit
from hl7intake.models import RefusedSender, SenderCertificate

# Strangers choose how many addresses they come from; beyond this the oldest are forgotten.
MOST_ROWS = 2_000


def record_refused_sender(
    *, peer: str, reason: str, count: int, now: datetime, certificate_id: UUID | None = None
) -> None:
    """Note that somebody at ``peer`` was not let in, and how often for the same reason.

    :param certificate_id: the registered certificate that was shown, if it was one.
    """
    certificate = SenderCertificate.objects.filter(pk=certificate_id).first() if certificate_id else None
    _count(peer=peer, reason=reason, count=count, now=now, certificate=certificate)
    audit.record(
        "sender.refused",
        organization_id=certificate.organization_id if certificate else audit.PLATFORM,
        actor=f"peer {peer}",
        subject=certificate,
        reason=reason,
        count=count,
    )


def forget_old(*, now: datetime) -> int:
    """Delete refusals that are old, or too many; return how many."""
    old, _ = RefusedSender.objects.filter(last_at__lte=now - RefusedSender.KEPT).delete()
    newest = RefusedSender.objects.order_by("-last_at").values_list("pk", flat=True)[:MOST_ROWS]
    surplus, _ = RefusedSender.objects.exclude(pk__in=list(newest)).delete()
    return old + surplus


def _count(*, peer: str, reason: str, count: int, now: datetime, certificate: SenderCertificate | None) -> None:
    known = RefusedSender.objects.filter(peer=peer, reason=reason, certificate=certificate)
    if known.update(count=F("count") + count, last_at=now):
        return
    row = RefusedSender(
        peer=peer,
        reason=reason,
        count=count,
        first_at=now,
        last_at=now,
        certificate=certificate,
        organization_id=certificate.organization_id if certificate else None,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another process of the listener was quicker
        known.update(count=F("count") + count, last_at=now)
