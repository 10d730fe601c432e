"""Who is on the other end of a connection, and how their messages are to be understood."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F

from config_portal.models import ConfigurationVersion, FhirEndpoint
from hl7intake.models import SenderCertificate
from hl7intake.rules import SESSION_ID_PLACES, Rules
from hl7intake.timing import START_PLACES


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The Epic of one FHIR endpoint, proven by one certificate; without one only on loopback."""

    organization_id: UUID
    endpoint_id: UUID
    certificate_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class PinnedSender:
    """A registered certificate, and whose it is.

    :param refusal: why it opens no connection now; empty when it does. Its holder is recognised all the
        same, so that his organization is told and not only that a stranger knocked.
    """

    fingerprint: str
    pem: str
    sender: Sender
    refusal: str = ""


def pinned_senders(*, now: datetime) -> tuple[PinnedSender, ...]:
    """Return every registered certificate once, those that open a connection now and others, in a stable order."""
    pinned: dict[str, PinnedSender] = {}
    # One that was revoked may be registered anew: the row that counts comes first.
    known = SenderCertificate.objects.remembered_at(now)
    for certificate in known.order_by("fingerprint", F("revoked_at").desc(nulls_first=True)):
        pinned.setdefault(
            certificate.fingerprint,
            PinnedSender(
                fingerprint=certificate.fingerprint,
                pem=certificate.pem,
                sender=sender_of(certificate),
                refusal=_refusal_of(certificate, now=now),
            ),
        )
    return tuple(pinned.values())


def _refusal_of(certificate: SenderCertificate, *, now: datetime) -> str:
    if certificate.revoked_at is not None:
        return "certificate was revoked"
    if certificate.not_after <= now:
        return "certificate has expired"
    return "certificate is not valid yet" if certificate.not_before > now else ""


def sender_of(certificate: SenderCertificate) -> Sender:
    """Return whom ``certificate`` proves."""
    return Sender(
        organization_id=certificate.organization_id,
        endpoint_id=certificate.endpoint_id,
        certificate_id=certificate.pk,
    )


class Freshness(Enum):
    """How long ago the rules of an endpoint were read."""

    FRESH = "fresh"
    AGEING = "ageing"  # still good, but better read anew now, so that nobody has to wait for that
    TOO_OLD = "too old"


class RulesBook:
    """The approved rules of endpoints.

    :param reuse_seconds: how long what was read may be used again. A message is examined with rules this
        old; what it means is always read with the newest.
    """

    def __init__(self, *, reuse_seconds: float = 0.0) -> None:
        self._reuse_seconds = reuse_seconds
        self._known: dict[UUID, tuple[float, Rules | None]] = {}

    def of(self, endpoint_ids: Iterable[UUID]) -> Mapping[UUID, Rules | None]:
        """Return the rules of each endpoint, or None for one of which nothing was ever approved."""
        wanted = set(endpoint_ids)
        if old := {one for one in wanted if self.freshness_of(one) is Freshness.TOO_OLD}:
            self.refresh(old)
        return {one: self.last_known(one) for one in wanted}

    def freshness_of(self, endpoint_id: UUID) -> Freshness:
        """Return whether the rules of the endpoint may be used, and whether they should be read anew soon."""
        known = self._known.get(endpoint_id)
        age = math.inf if known is None else time.monotonic() - known[0]
        if age >= self._reuse_seconds:
            return Freshness.TOO_OLD
        return Freshness.FRESH if age < self._reuse_seconds / 2 else Freshness.AGEING

    def last_known(self, endpoint_id: UUID) -> Rules | None:
        """Return the rules of the endpoint as they were read last."""
        return self._known[endpoint_id][1]

    def refresh(self, endpoint_ids: Iterable[UUID]) -> None:
        """Read the rules of each endpoint anew."""
        wanted, now = list(endpoint_ids), time.monotonic()
        versions = FhirEndpoint.objects.filter(pk__in=wanted).values_list("pk", "approved_version_id")
        approved: dict[UUID, UUID | None] = dict(versions)
        for one in wanted:
            version_id = approved.get(one)
            self._known[one] = now, None if version_id is None else _rules_of(version_id)


def rules_for(endpoint: FhirEndpoint) -> Rules | None:
    """Return the approved rules of ``endpoint``, or None when nothing was ever approved.

    A paused endpoint still has rules: its schedule is kept up to date, and whoever acts on it looks for
    the pause itself. Otherwise everything that changes during a pause would be lost.
    """
    return None if endpoint.approved_version_id is None else _rules_of(endpoint.approved_version_id)


@lru_cache(maxsize=1024)
def _rules_of(version_id: UUID) -> Rules:
    # Versions never change, so what was read once stays true.
    snapshot = ConfigurationVersion.objects.get(pk=version_id).snapshot
    endpoint, organization = snapshot["endpoint"], snapshot["organization"]
    return _rules(endpoint, region=organization["country"], settings=snapshot.get("hl7", {}))


def draft_rules(endpoint: FhirEndpoint) -> Rules:
    """Return the rules of ``endpoint`` as they would be if it were approved now; for explaining, not for intake."""
    draft = {name: getattr(endpoint, name) for name in ("time_zone", "visit_types", "departments")}
    return _rules(draft, region=endpoint.organization.country, settings=approved_part(endpoint))


def _rules(endpoint: Mapping[str, Any], *, region: str, settings: Mapping[str, Any]) -> Rules:
    return Rules(
        zone=ZoneInfo(endpoint["time_zone"]),
        region=region,
        visit_types=frozenset(endpoint["visit_types"]),
        departments=frozenset(endpoint["departments"]),
        start_places=tuple(settings.get("start_places") or START_PLACES),
        session_id_places=tuple(settings.get("session_id_places") or SESSION_ID_PLACES),
        statuses=MappingProxyType(settings.get("status_map") or {}),
        fallback_charset=settings.get("fallback_charset") or "cp1252",
    )


def approved_part(endpoint: FhirEndpoint) -> dict[str, object]:
    """Return what an approval covers of an endpoint's sender settings."""
    settings = getattr(endpoint, "sender_settings", None)
    if settings is None:
        return {}
    return {
        "start_places": settings.start_places,
        "session_id_places": settings.session_id_places,
        "status_map": settings.status_map,
        "fallback_charset": settings.fallback_charset,
    }
