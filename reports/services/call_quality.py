"""Fetch Teams' call records within the 30 days that Microsoft keeps them, and judge every stream.

A record belongs to a visit by the meeting's address. Graph tells when there is one (:mod:`reports.services.call_news`);
whatever that misses an hourly sweep finds, from a little before where the last one ended; once a day the last days are
listed again, for higher versions.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction

from config_portal.models import Organization, TeamsTenant
from core.errors import ConnectorError
from meetings.providers.base import CallRecordHead, CallStreamMeasures, MeetingProvider
from meetings.services.suppliers import provider_of_tenant
from reports.models import CallRecord, CallStream, CallSweep, VisitFact
from reports.quality import Measures, Thresholds, Verdict, judge
from reports.services.choices import settings_of
from reports.services.facts import join_index

KEPT = timedelta(days=30) - timedelta(hours=1)
EVERY = timedelta(hours=1)
# Teams writes a record some time after the call, and adds to it for a day or so.
OVERLAP = timedelta(hours=3)
DEEP_EVERY, DEEP = timedelta(hours=24), timedelta(hours=50)
_AT_ONCE = 500


def sweep_due(*, now: datetime) -> int:
    """Look through the call records of every organization whose time has come; return how many were taken in."""
    known = CallSweep.objects.values("organization")
    missing = TeamsTenant.objects.exclude(organization__in=known).values_list("organization", flat=True)
    fresh = [CallSweep(organization_id=pk, due_at=now) for pk in missing]
    CallSweep.objects.bulk_create(fresh, ignore_conflicts=True)
    taken = 0
    while (sweep := _claim(now=now)) is not None:
        taken += _sweep(sweep, now=now)
    return taken


@transaction.atomic
def _claim(*, now: datetime) -> CallSweep | None:
    """Take one organization whose time has come; its next time is set before it is looked through."""
    due = CallSweep.objects.filter(due_at__lte=now).select_related("organization").order_by("due_at")
    sweep = due.select_for_update(skip_locked=True, of=("self",)).first()
    if sweep is not None:
        sweep.due_at = now + EVERY
        sweep.save(update_fields=["due_at"])
    return sweep


def _sweep(sweep: CallSweep, *, now: datetime) -> int:
    tenant = TeamsTenant.objects.filter(organization=sweep.organization).select_related("organization").first()
    if tenant is None:
        return 0
    is_deep = sweep.deep_at is None or sweep.deep_at <= now - DEEP_EVERY
    try:
        taken = take_in(
            provider_of_tenant(tenant), sweep.organization, since=_since(sweep, is_deep=is_deep, now=now), until=now
        )
    except ConnectorError as error:
        CallSweep.objects.filter(pk=sweep.pk).update(error_code=error.code)
        return 0
    deep_at = now if is_deep else sweep.deep_at
    CallSweep.objects.filter(pk=sweep.pk).update(swept_until=now, deep_at=deep_at, error_code="")
    return taken


def _since(sweep: CallSweep, *, is_deep: bool, now: datetime) -> datetime:
    oldest = now - KEPT
    if sweep.swept_until is None:
        return oldest
    return max(oldest, sweep.swept_until - (DEEP if is_deep else OVERLAP))


def error_of(organization: Organization) -> str:
    """Return the code of what hindered the last sweep; '' when nothing did."""
    return CallSweep.objects.filter(organization=organization).values_list("error_code", flat=True).first() or ""


def take_in_one(provider: MeetingProvider, organization: Organization, head: CallRecordHead) -> bool:
    """Fetch what is new of one call; False when it is no visit's, or nothing is new."""
    thresholds = Thresholds.of(settings_of(organization).thresholds)
    return bool(_take_in_heads(provider, organization, [head], thresholds))


def take_in(provider: MeetingProvider, organization: Organization, *, since: datetime, until: datetime) -> int:
    """Fetch what is new of the calls of visits that started in the period; return how many records that were."""
    thresholds = Thresholds.of(settings_of(organization).thresholds)
    taken = 0
    heads: list[CallRecordHead] = []
    for head in provider.call_records(since=since, until=until):
        heads.append(head)
        if len(heads) >= _AT_ONCE:
            taken += _take_in_heads(provider, organization, heads, thresholds)
            heads = []
    return taken + _take_in_heads(provider, organization, heads, thresholds)


def _take_in_heads(
    provider: MeetingProvider, organization: Organization, heads: Sequence[CallRecordHead], thresholds: Thresholds
) -> int:
    indexes = {head.id: join_index(organization.pk, head.join_web_url) for head in heads}
    facts = VisitFact.objects.for_organization(organization).filter(join_index__in=indexes.values())
    visits = dict(facts.values_list("join_index", "visit_id"))
    records = CallRecord.objects.for_organization(organization).filter(graph_id__in=indexes)
    versions = {str(graph_id): version for graph_id, version in records.values_list("graph_id", "version")}
    taken = 0
    for head in heads:
        visit_id = visits.get(indexes[head.id])
        if visit_id is not None and head.version > versions.get(head.id, -1):
            streams = provider.call_streams(head.id)  # no transaction is open during the call
            _store(organization, visit_id, head, streams, thresholds)
            taken += 1
    return taken


@transaction.atomic
def _store(
    organization: Organization,
    visit_id: uuid.UUID,
    head: CallRecordHead,
    streams: Iterable[CallStreamMeasures],
    thresholds: Thresholds,
) -> None:
    """Replace what is known of a call; an older version than the one here changes nothing."""
    record, _ = CallRecord.objects.select_for_update().get_or_create(
        organization=organization,
        graph_id=head.id,
        defaults={"visit_id": visit_id, "version": 0, "started_at": head.started_at, "ended_at": head.ended_at},
    )
    if record.version > head.version:
        return
    record.streams.all().delete()
    judged = [_judged(record, stream, thresholds) for stream in streams]
    CallStream.objects.bulk_create(judged)
    record.version, record.started_at, record.ended_at = head.version, head.started_at, head.ended_at
    _count(record, judged)
    record.save()


def _judged(record: CallRecord, stream: CallStreamMeasures, thresholds: Thresholds) -> CallStream:
    measures = dict(stream.measures)
    judgement = judge(Measures(kind=stream.kind, **measures), thresholds)
    return CallStream(
        record=record,
        kind=stream.kind,
        is_staff=stream.is_staff,
        platform=stream.platform,
        product=stream.product,
        network=stream.network,
        measures=measures,
        verdict=judgement.verdict,
        due_to=list(judgement.due_to),
    )


def _count(record: CallRecord, streams: Iterable[CallStream]) -> None:
    counts = Counter(stream.verdict for stream in streams)
    record.good, record.poor = counts[Verdict.GOOD], counts[Verdict.POOR]
    record.unclassified = counts[Verdict.UNCLASSIFIED]


def judge_again(organization: Organization) -> int:
    """Judge every stream of ``organization`` by its thresholds of now; return how many verdicts changed."""
    thresholds = Thresholds.of(settings_of(organization).thresholds)
    changed = 0
    records = CallRecord.objects.for_organization(organization).order_by("started_at").prefetch_related("streams")
    for record in records.iterator(chunk_size=500):
        streams = list(record.streams.all())
        different = [stream for stream in streams if _apply(stream, thresholds)]
        if different:
            CallStream.objects.bulk_update(different, ["verdict", "due_to"])
            _count(record, streams)
            record.save(update_fields=["good", "poor", "unclassified"])
        changed += len(different)
    return changed


def _apply(stream: CallStream, thresholds: Thresholds) -> bool:
    judgement = judge(Measures(kind=stream.kind, **stream.measures), thresholds)
    before = stream.verdict, stream.due_to
    stream.verdict, stream.due_to = judgement.verdict, list(judgement.due_to)
    return before != (stream.verdict, stream.due_to)


def published() -> dict[str, float]:
    """Return the thresholds that Microsoft publishes, by name."""
    return asdict(Thresholds())
