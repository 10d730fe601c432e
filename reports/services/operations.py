"""How the installation and one organization's connections are: queues, processes, providers, certificates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from config_portal.models import Organization
from core import audit, heartbeat, scope
from core.health import readiness
from core.models import AuditEvent, Heartbeat
from core.retention import REPORTED
from hl7intake.models import InboundMessage, SenderCertificate
from meetings.models import Meeting, RecordSubscription, Subscription
from meetings.services.record_subscriptions import subscription_of
from reports.models import CallSweep
from sms.models import SmsMessage
from writeback.models import Circuit, WritebackEvent

# Older than this a due row is late, as docs/operations.md says.
LATE = timedelta(minutes=2)
EXPIRES_SOON = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What waits in one queue.

    :param due: how many rows are due now; ``oldest_due_at`` since when the oldest is.
    :param stopped: how many need a person.
    """

    name: str
    due: int
    oldest_due_at: datetime | None
    stopped: int

    def lag(self, *, now: datetime) -> timedelta:
        """Return for how long the oldest row has been due."""
        return max(now - self.oldest_due_at, timedelta(0)) if self.oldest_due_at else timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of the status page. ``is_well`` is None where there is nothing to judge."""

    name: str
    value: str
    is_well: bool | None
    note: str = ""
    at: datetime | None = None


def queues(organization: Organization | None, *, now: datetime) -> list[Queue]:
    """Return the queues of one organization, or of all."""
    texts: QuerySet[Any] = SmsMessage.objects.all()
    told: QuerySet[Any] = WritebackEvent.objects.all()
    messages: QuerySet[Any] = InboundMessage.objects.all()
    subscriptions: QuerySet[Any] = Subscription.objects.all()
    if organization is not None:
        texts, told, messages = (rows.filter(organization=organization) for rows in (texts, told, messages))
        subscriptions = subscriptions.filter(meeting__organization=organization)
    pending, recent = Q(state="pending", due_at__lte=now), Q(created_at__gte=now - timedelta(days=7))
    waiting = Q(state=InboundMessage.State.RECEIVED, due_at__lte=now)
    return [
        _queue("Texts", texts, pending, Q(state__in=["undelivered", "failed"]) & recent),
        _queue("Epic", told, pending, Q(state__in=["failed", "unknown", "not_sendable"])),
        _queue("HL7 messages", messages, waiting, Q(state=InboundMessage.State.QUARANTINED)),
        _queue("Meeting subscriptions", subscriptions, pending, Q(state="pending") & ~Q(error_code="")),
    ]


def _queue(name: str, rows: QuerySet[Any], due: Q, stopped: Q) -> Queue:
    found = rows.aggregate(due=Count("pk", filter=due), oldest=Min("due_at", filter=due))
    return Queue(name=name, due=found["due"], oldest_due_at=found["oldest"], stopped=rows.filter(stopped).count())


def processes(*, now: datetime) -> list[Fact]:
    """Return whether every part works, and when each process was last heard of."""
    beats = dict(Heartbeat.objects.values_list("name", "at"))
    names = {
        "database": "Database", "redis": "Redis", heartbeat.WORKER: "Worker", heartbeat.BEAT: "Scheduler",
        heartbeat.MLLP: "HL7 listener",
    }  # fmt: skip
    parts = readiness()
    return [
        Fact(name=names.get(name, name), value="Works" if works else "Away", is_well=works, at=beats.get(name))
        for name, works in parts.items()
    ]


def connections(organization: Organization, *, now: datetime) -> list[Fact]:
    """Return how each Epic and Teams can be reached."""
    return [*_epics(organization), _teams(organization, now=now), _call_records(organization, now=now)]


def _epics(organization: Organization) -> Iterator[Fact]:
    circuits = {circuit.endpoint_id: circuit for circuit in Circuit.objects.filter(endpoint__organization=organization)}
    for endpoint in organization.endpoints.all():
        circuit = circuits.get(endpoint.pk)
        if endpoint.approved_version_id is None or endpoint.is_paused:
            value = "Paused" if endpoint.is_paused else "Not approved"
            yield Fact(name=f"Epic, {endpoint.name}", value=value, is_well=None)
        elif circuit is None or not circuit.is_open:
            accepted_at = circuit.accepted_at if circuit else None
            value = "Takes what it is told" if accepted_at else "Nothing told yet"
            is_well = True if accepted_at else None
            yield Fact(name=f"Epic, {endpoint.name}", value=value, is_well=is_well, at=accepted_at)
        else:
            yield Fact(
                name=f"Epic, {endpoint.name}", value="Does not take what it is told", is_well=False,
                note=circuit.error_code, at=circuit.opened_at,
            )  # fmt: skip


def _teams(organization: Organization, *, now: datetime) -> Fact:
    open_meetings = Subscription.objects.filter(
        meeting__organization=organization, meeting__state=Meeting.State.READY
    ).exclude(state=Subscription.ENDED)
    deaf = open_meetings.exclude(graph_id__gt="", expires_at__gt=now).exclude(error_code="").count()
    count = open_meetings.filter(graph_id__gt="", expires_at__gt=now).count()
    return Fact(
        name="Teams meeting events",
        value=f"{count} meetings listened to",
        is_well=deaf == 0 if count or deaf else None,
        note=f"{deaf} not heard" if deaf else "",
    )


def _call_records(organization: Organization, *, now: datetime) -> Fact:
    """Return whether Graph tells of calls and lets us read their records; the time is that of the last sweep."""
    sweep = CallSweep.objects.filter(organization=organization).first()
    subscription = subscription_of(organization)
    value, is_well, note = _how_calls_are_found(sweep, subscription, now=now)
    return Fact(name="Call records", value=value, is_well=is_well, note=note, at=sweep.swept_until if sweep else None)


def _how_calls_are_found(
    sweep: CallSweep | None, subscription: RecordSubscription | None, *, now: datetime
) -> tuple[str, bool | None, str]:
    if sweep is not None and sweep.error_code:
        return "Not readable", False, sweep.error_code
    if subscription is not None and subscription.error_code:
        return "Looked for every hour, not told of", False, subscription.error_code
    if subscription is not None and subscription.is_live(now=now):
        return "Told of each call", True, ""
    is_swept = sweep is not None and sweep.swept_until is not None
    return ("Looked for every hour", True, "") if is_swept else ("Not looked for yet", None, "")


def certificates(organization: Organization, *, now: datetime) -> list[Fact]:
    """Return until when each HL7 sender's certificate is valid."""
    rows = SenderCertificate.objects.filter(organization=organization, revoked_at=None).select_related("endpoint")
    return [
        Fact(
            name=f"HL7 sender of {row.endpoint.name}",
            value="Valid until" if row.not_after > now else "Expired",
            is_well=row.not_after > now + EXPIRES_SOON,
            at=row.not_after,
        )
        for row in rows
    ]


def privacy(*, now: datetime) -> Fact:
    """Return what the last nightly look at retention found."""
    with scope.reaching(audit.PLATFORM):  # the look is the installation's, not the hospital's
        last = AuditEvent.objects.filter(organization_id=audit.PLATFORM, action=REPORTED).order_by("-sequence").first()
    if last is None:
        return Fact(name="Nightly look at retention", value="Not yet", is_well=None)
    count = sum(int(number) for number in last.data.get("overdue", {}).values())
    value = f"{count} rows kept too long" if count else "Nothing kept too long"
    return Fact(name="Nightly look at retention", value=value, is_well=count == 0, at=last.at)
