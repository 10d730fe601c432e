"""What became of texts, in numbers: the truth table, the health of numbers, who wants no texts.

A supplier accepting a text says nothing about the phone, so *accepted* and *delivered* are told apart everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Avg, Count, F, Max, Q

from config_portal.models import Organization
from sms.models import OptOut, PhoneNumber, SmsMessage, SmsMessageQuerySet, SupplierHealth

State = SmsMessage.State

# Each text is in exactly one of these groups; their order is the order of the page.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "delivered": (State.DELIVERED,),
    "accepted": (State.ACCEPTED,),
    "undelivered": (State.UNDELIVERED, State.FAILED),
    "unknown": (State.UNKNOWN,),
    "waiting": (State.PENDING, State.SENDING),
    "not_sent": (State.EXPIRED, State.SUPPRESSED, State.WITHDRAWN),
}
HEALTH_PERIOD = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which texts a person wants to see.

    :param outcome: a key of ``OUTCOMES``, or '' for all.
    """

    since: datetime
    until: datetime
    outcome: str = ""
    endpoint_id: UUID | None = None
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class NumberHealth:
    """How a number did in the last 24 hours, and whether something holds it up."""

    number: PhoneNumber
    accepted: int
    delivered: int
    undelivered: int
    unknown: int
    last_accepted_at: datetime | None
    seconds_to_phone: float | None
    breaker: SupplierHealth | None


def texts(organization: Organization, asked: Asked) -> SmsMessageQuerySet:
    """Return the texts that were or are due in the period, newest first, with visit and endpoint."""
    found = _in_period(organization, asked)
    if asked.outcome:
        found = found.filter(state__in=OUTCOMES[asked.outcome])
    return found.select_related("visit__endpoint", "number", "contact").order_by("-due_at", "pk")


def counts(organization: Organization, asked: Asked) -> dict[str, int]:
    """Return outcome → how many texts of the period, whatever outcome was asked for."""
    groups = {name: Count("pk", filter=Q(state__in=states)) for name, states in OUTCOMES.items()}
    return dict(_in_period(organization, asked).aggregate(**groups))


def health(organization: Organization, *, now: datetime) -> list[NumberHealth]:
    """Return how each number of the organization does: two queries, however many there are."""
    numbers = list(PhoneNumber.objects.for_organization(organization).filter(released_at=None).order_by("created_at"))
    recent = SmsMessage.objects.filter(number__in=numbers, accepted_at__gte=now - HEALTH_PERIOD)
    figures = {
        row["number"]: row
        for row in recent.values("number").annotate(
            accepted=Count("pk"),
            delivered=Count("pk", filter=Q(state=State.DELIVERED)),
            undelivered=Count("pk", filter=Q(state=State.UNDELIVERED)),
            unknown=Count("pk", filter=Q(state=State.UNKNOWN)),
            last_accepted_at=Max("accepted_at"),
            took=Avg(F("delivered_at") - F("accepted_at"), filter=Q(state=State.DELIVERED)),
        )
    }
    breakers = SupplierHealth.objects.filter(opened_at__isnull=False)
    suppliers = {breaker.supplier: breaker for breaker in breakers if breaker.number_id is None}
    own = {breaker.number_id: breaker for breaker in breakers if breaker.number_id is not None}
    return [
        _health(number, figures.get(number.pk, {}), own.get(number.pk) or suppliers.get(number.supplier))
        for number in numbers
    ]


def opt_out_counts(organization: Organization, *, now: datetime) -> tuple[int, int]:
    """Return how many phones want no texts now, and how many of them said so in the last 30 days."""
    open_ones = OptOut.objects.filter(organization=organization, ended_at=None)
    recent = Count("pk", filter=Q(created_at__gte=now - timedelta(days=30)))
    found = open_ones.aggregate(all=Count("pk"), recent=recent)
    return found["all"], found["recent"]


def _in_period(organization: Organization, asked: Asked) -> SmsMessageQuerySet:
    found = SmsMessage.objects.for_organization(organization).filter(due_at__gte=asked.since, due_at__lt=asked.until)
    if asked.endpoint_id is not None:
        found = found.filter(visit__endpoint=asked.endpoint_id)
    return found.filter(kind=asked.kind) if asked.kind else found


def _health(number: PhoneNumber, row: Mapping[str, object], breaker: SupplierHealth | None) -> NumberHealth:
    took = row.get("took")
    return NumberHealth(
        number=number,
        accepted=int(str(row.get("accepted", 0))),
        delivered=int(str(row.get("delivered", 0))),
        undelivered=int(str(row.get("undelivered", 0))),
        unknown=int(str(row.get("unknown", 0))),
        last_accepted_at=row.get("last_accepted_at"),  # type: ignore[arg-type]  # of an aggregate
        seconds_to_phone=took.total_seconds() if isinstance(took, timedelta) else None,
        breaker=breaker,
    )
