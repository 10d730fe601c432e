"""Erase the text of messages when its time is over."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from config_portal.models import Organization
from core import audit
from hl7intake.models import InboundMessage, RawRetention

QUARANTINE_KEPT = timedelta(hours=RawRetention.LONGEST_HOURS)


def wipe_raw(*, now: datetime) -> int:
    """Erase texts of rejected messages that were kept for a while; return how many."""
    rejected = InboundMessage.objects.filter(raw_until__lte=now).update(raw=None, raw_until=None)
    old = InboundMessage.objects.filter(
        state=InboundMessage.State.QUARANTINED, raw__isnull=False, finished_at__lte=now - QUARANTINE_KEPT
    )
    return rejected + old.update(raw=None)


def kept_hours(organization: Organization) -> int:
    """Return for how many hours the text of rejected messages is kept; 0: not at all."""
    return RawRetention.objects.filter(organization=organization).values_list("hours", flat=True).first() or 0


@transaction.atomic
def keep_rejected(organization: Organization, *, hours: int, actor: str) -> None:
    """From now on keep the text of rejected messages for ``hours``; what is kept already goes when less was said.

    :param hours: 0 to 72; 0 keeps nothing.
    """
    retention, _ = RawRetention.objects.select_for_update().get_or_create(organization=organization)
    before, retention.hours = retention.hours, hours
    retention.full_clean()
    retention.save()
    if hours < before:
        kept = InboundMessage.objects.for_organization(organization).exclude(raw_until=None)
        kept.update(raw_until=Least(F("raw_until"), F("received_at") + timedelta(hours=hours)))
    audit.record(
        "message_text.retention_changed",
        organization_id=organization.pk,
        actor=actor,
        subject=organization,
        changes=[{"what": "Hours to keep the text of rejected messages", "was": before, "now": hours}],
    )
