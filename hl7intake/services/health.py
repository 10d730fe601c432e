"""How each sender is doing: when it was heard of last, how much it sends, how much of it is refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery

from config_portal.models import FhirEndpoint
from hl7intake.models import InboundMessage, SenderCertificate, SenderWatch

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
State = InboundMessage.State


@dataclass(frozen=True, kw_only=True)
class SenderHealth:
    """One endpoint's sender.

    :param last_at: when its last message came; None when none ever did.
    :param refused_last_day: messages of the last 24 hours that were answered AE or AR.
    :param waiting: messages that were acknowledged and have not taken effect yet.
    :param certificates: those that open a connection now, the one that ends last first.
    """

    endpoint: FhirEndpoint
    last_at: datetime | None
    last_hour: int
    last_day: int
    refused_last_day: int
    waiting: int
    waiting_since: datetime | None
    quarantined: int
    certificates: Sequence[SenderCertificate]
    watch: SenderWatch

    @property
    def error_share(self) -> float:
        """Refused messages of all messages in the last 24 hours, 0 to 1."""
        return self.refused_last_day / self.last_day if self.last_day else 0.0

    def is_silent(self, *, now: datetime) -> bool:
        """Whether it should have been heard of by now."""
        return self.watch.is_overdue(self.last_at, now=now)


def health_of(endpoints: Iterable[FhirEndpoint], *, now: datetime) -> list[SenderHealth]:
    """Return how the sender of each endpoint is doing, in their order; six queries however many they are."""
    listed = list(endpoints)
    last, recent, open_ = _last_messages(listed), _recent(listed, now=now), _open(listed)
    certificates = _certificates(listed, now=now)
    watches = {watch.pk: watch for watch in SenderWatch.objects.filter(endpoint__in=listed)}
    return [
        SenderHealth(
            endpoint=endpoint,
            last_at=last.get(endpoint.pk),
            last_hour=recent.get(endpoint.pk, {}).get("hour", 0),
            last_day=recent.get(endpoint.pk, {}).get("day", 0),
            refused_last_day=recent.get(endpoint.pk, {}).get("refused", 0),
            waiting=open_.get(endpoint.pk, {}).get("waiting", 0),
            waiting_since=open_.get(endpoint.pk, {}).get("since"),
            quarantined=open_.get(endpoint.pk, {}).get("quarantined", 0),
            certificates=certificates.get(endpoint.pk, []),
            watch=watches.get(endpoint.pk) or SenderWatch(endpoint=endpoint),
        )
        for endpoint in listed
    ]


def _last_messages(endpoints: list[FhirEndpoint]) -> dict[UUID, datetime | None]:
    newest = (
        InboundMessage.objects.from_engines()
        .filter(endpoint=OuterRef("pk"))
        .order_by("-received_at")
        .values("received_at")[:1]
    )
    found = FhirEndpoint.objects.filter(pk__in=[endpoint.pk for endpoint in endpoints])
    return dict(found.annotate(last_at=Subquery(newest)).values_list("pk", "last_at"))


def _recent(endpoints: list[FhirEndpoint], *, now: datetime) -> dict[UUID, dict[str, Any]]:
    came = InboundMessage.objects.from_engines().filter(endpoint__in=endpoints, received_at__gt=now - DAY)
    return _by_endpoint(
        came.values("endpoint").annotate(
            day=Count("pk"),
            hour=Count("pk", filter=Q(received_at__gt=now - HOUR)),
            refused=Count("pk", filter=Q(state=State.REJECTED)),
        )
    )


def _open(endpoints: list[FhirEndpoint]) -> dict[UUID, dict[str, Any]]:
    unfinished = InboundMessage.objects.filter(endpoint__in=endpoints, state__in=[State.RECEIVED, State.QUARANTINED])
    is_waiting = Q(state=State.RECEIVED)
    return _by_endpoint(
        unfinished.values("endpoint").annotate(
            waiting=Count("pk", filter=is_waiting),
            since=Min("received_at", filter=is_waiting),
            quarantined=Count("pk", filter=Q(state=State.QUARANTINED)),
        )
    )


def _by_endpoint(rows: "QuerySet[Any, Any]") -> dict[UUID, dict[str, Any]]:
    return {row["endpoint"]: row for row in rows.order_by("endpoint")}


def _certificates(endpoints: list[FhirEndpoint], *, now: datetime) -> dict[UUID, list[SenderCertificate]]:
    found: dict[UUID, list[SenderCertificate]] = {}
    accepted = SenderCertificate.objects.accepted_at(now).of_engines().filter(endpoint__in=endpoints)
    for certificate in accepted.order_by(F("not_after").desc()):
        found.setdefault(certificate.endpoint_id, []).append(certificate)
    return found
