"""What staff may read of the audit trail, filtered, in pages and as files."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import Role, User
from config_portal.models import Organization
from core.models import AuditEvent, AuditVerification

PAGE = 50
MOST_EXPORTED = 100_000

COLUMNS = (
    "sequence", "at_utc", "actor", "action", "subject_type", "subject_id", "reference", "data", "previous", "digest",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """What is looked for; empty values look for everything.

    :param text: part of an action, or a whole reference or subject id.
    :param area: first word of actions, such as ``configuration``.
    :param since: first day; ``until`` the last one, both in the organization's time zone.
    """

    text: str = ""
    actor: str = ""
    area: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return self == AuditFilter()


def visible_events(organization: Organization, user: User, roles: frozenset[str]) -> QuerySet[AuditEvent]:
    """Return the events of ``organization`` that ``user`` may read: all for those who set it up, else their own."""
    events = AuditEvent.objects.filter(organization_id=organization.pk)
    return events if roles & {Role.ADMIN, Role.ANALYST} else events.filter(actor=user.username)


def filtered(events: QuerySet[AuditEvent], wanted: AuditFilter, *, organization: Organization) -> QuerySet[AuditEvent]:
    """Keep the events that are looked for, newest first."""
    if wanted.text:
        exact = Q(reference__iexact=wanted.text) | Q(subject_id__iexact=wanted.text)
        events = events.filter(exact | Q(action__iregex="[._]".join(map(re.escape, wanted.text.split()))))
    if wanted.actor:
        events = events.filter(actor__icontains=wanted.actor)
    if wanted.area:
        events = events.filter(action__startswith=f"{wanted.area}.")
    zone = ZoneInfo(organization.time_zone)
    if wanted.since:
        events = events.filter(at__gte=_midnight(wanted.since, zone))
    if wanted.until:
        events = events.filter(at__lt=_midnight(wanted.until + timedelta(days=1), zone))
    return events.order_by("-sequence")


def areas(events: QuerySet[AuditEvent]) -> list[str]:
    """Return the first words of the actions that occur."""
    actions = events.order_by().values_list("action", flat=True).distinct()
    return sorted({action.partition(".")[0] for action in actions})


def last_verification(organization: Organization) -> AuditVerification | None:
    """Return when the chain was last verified, and what was found."""
    return AuditVerification.objects.filter(organization_id=organization.pk).first()


def exported_rows(events: QuerySet[AuditEvent]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of :data:`COLUMNS` for each event, the newest ``MOST_EXPORTED`` of them."""
    for event in events[:MOST_EXPORTED].iterator(chunk_size=1000):
        yield (
            event.sequence,
            event.at.astimezone(UTC).isoformat(),
            event.actor,
            event.action,
            event.subject_type,
            event.subject_id,
            event.reference,
            json.dumps(event.data, sort_keys=True, ensure_ascii=False),
            bytes(event.previous).hex(),
            bytes(event.digest).hex(),
        )


def exported_json(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Yield a JSON array of the events, a line each."""
    separator = "[\n"
    for row in exported_rows(events):
        values = dict(zip(COLUMNS, row, strict=True))
        yield separator + json.dumps({**values, "data": json.loads(values["data"])}, ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
