"""The audit trail: append-only, hash-chained per organization.

Each event's digest covers the one before it; the head row keeps the last digest, so an edited, a
removed and even a removed *last* event are found by :func:`verify_chain`.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import scope
from core.models import AuditChain, AuditEvent, AuditVerification
from core.queries import Lookup

# Events that belong to no organization (such as a launch to an unknown address) share this chain.
PLATFORM = uuid.UUID(int=0)
_CHAINS = Lookup(AuditChain.objects.select_for_update, "organization_id")


@dataclass(frozen=True, kw_only=True)
class ChainReport:
    """The outcome of a verification: how many events hold, and the first one that does not."""

    checked: int
    broken_at: int | None = None

    @property
    def is_intact(self) -> bool:
        """Whether every event is as it was written."""
        return self.broken_at is None


def record(
    action: str,
    *,
    organization_id: uuid.UUID = PLATFORM,
    actor: str = "system",
    subject: Any = None,
    reference: str = "",
    **data: Any,
) -> AuditEvent:
    """Append one event in the current transaction.

    :param action: past participle with a prefix, such as ``launch.refused``.
    :param actor: a staff user's ``username``, ``epic:<hash>``, ``system`` or the name of a sender.
    :param data: JSON values without names, numbers or record ids of patients.
    """
    # No savepoint: what is not in the trail must not happen at all.
    with scope.reaching(organization_id), transaction.atomic(savepoint=False):
        chain = _lock_chain(organization_id)
        event = AuditEvent(
            organization_id=organization_id,
            sequence=chain.sequence + 1,
            at=timezone.now(),
            actor=actor,
            action=action,
            subject_type=subject._meta.label_lower if subject is not None else "",
            subject_id=str(subject.pk) if subject is not None else "",
            reference=reference,
            data=data,
            previous=bytes(chain.head),
        )
        event.digest = _digest(event)
        event.save()
        chain.sequence, chain.head = event.sequence, event.digest
        chain.save()
    return event


def _lock_chain(organization_id: uuid.UUID) -> AuditChain:
    chain = _CHAINS.find(organization_id)
    if chain is None:
        AuditChain.objects.get_or_create(organization_id=organization_id)
        chain = _CHAINS.get(organization_id)
    return chain


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what differs, as the ``changes`` of an event: what it is, what it was, what it is now.

    :param before: names in words, such as ``FHIR base URL``, to JSON values; the same for ``after``.
    """
    names = list(dict.fromkeys([*before, *after]))
    return [
        {"what": name, "was": before.get(name), "now": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]


def verify(organization_id: uuid.UUID, *, now: datetime) -> ChainReport:
    """Verify the whole chain and remember when that was and what was found."""
    report = verify_chain(organization_id)
    AuditVerification.objects.update_or_create(
        organization_id=organization_id,
        defaults={"at": now, "checked": report.checked, "broken_at": report.broken_at},
    )
    return report


def verify_chain(organization_id: uuid.UUID) -> ChainReport:
    """Recompute the whole chain of an organization and name the first event that does not hold."""
    previous, expected = b"", 1
    for event in _events(organization_id):
        is_intact = event.sequence == expected and bytes(event.previous) == previous
        if not is_intact or _digest(event) != bytes(event.digest):
            return ChainReport(checked=expected - 1, broken_at=expected)
        previous, expected = bytes(event.digest), expected + 1
    head = AuditChain.objects.filter(organization_id=organization_id).first()
    if head is not None and (head.sequence != expected - 1 or bytes(head.head) != previous):
        return ChainReport(checked=expected - 1, broken_at=expected)
    return ChainReport(checked=expected - 1)


def _events(organization_id: uuid.UUID) -> Iterator[AuditEvent]:
    return AuditEvent.objects.filter(organization_id=organization_id).order_by("sequence").iterator(chunk_size=1000)


def _digest(event: AuditEvent) -> bytes:
    content = {
        "organization": str(event.organization_id),
        "sequence": event.sequence,
        "at": _instant(event.at),
        "actor": event.actor,
        "action": event.action,
        "subject": [event.subject_type, event.subject_id],
        "reference": event.reference,
        "data": event.data,
        "previous": bytes(event.previous).hex(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()


def _instant(at: datetime) -> str:
    return f"{at.timestamp():.6f}"
