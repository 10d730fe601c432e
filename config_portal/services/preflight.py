"""Runs of the pre-flight check: asked for by a person, carried out by a worker, kept line by line.

The row is what counts: a worker that dies leaves a lease that ends, and the next tick begins the run anew.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from config_portal import doctor, snapshot
from config_portal.checks import address
from config_portal.doctor import CheckContext, Outcome
from config_portal.models import FhirEndpoint, PreflightLine, PreflightRun
from config_portal.services.checking import News, run_checks
from core import audit

LEASE = timedelta(minutes=2)
_KEPT_RUNS = 20

_STATES = {
    Outcome.PASSED: PreflightLine.State.PASSED,
    Outcome.FAILED: PreflightLine.State.FAILED,
    Outcome.SKIPPED: PreflightLine.State.SKIPPED,
}


def draft_digest(endpoint: FhirEndpoint) -> str:
    """Return what identifies the draft of ``endpoint``, apart from what Epic says about itself and who approves."""
    content = snapshot.take(endpoint, smart={})
    about_approver = {name for name in content["endpoint"] if name.startswith("approver_")}
    checked = {name: value for name, value in content["endpoint"].items() if name not in about_approver}
    return snapshot.digest({**content, "endpoint": checked})


@transaction.atomic
def request_preflight(endpoint: FhirEndpoint, *, inputs: Mapping[str, str], actor: str, now: datetime) -> PreflightRun:
    """Return a run that is waiting to be carried out; one that has not ended yet is returned instead."""
    locked = FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    unfinished = PreflightRun.objects.filter(endpoint=locked).exclude(state=PreflightRun.State.FINISHED).first()
    if unfinished is not None:
        return unfinished
    given = {name: value for name, value in inputs.items() if value}
    run = PreflightRun.objects.create(
        organization_id=locked.organization_id,
        endpoint=locked,
        requested_by=actor,
        inputs=json.dumps(given) if given else None,
        digest=draft_digest(endpoint),
    )
    PreflightLine.objects.bulk_create(
        PreflightLine(run=run, name=check.name, title=check.title, position=position)
        for position, check in enumerate(doctor.checks(given))
    )
    audit.record(
        "preflight.requested", organization_id=locked.organization_id, actor=actor, subject=locked, inputs=sorted(given)
    )
    _forget_older(locked)
    return run


def unfinished_runs(*, now: datetime) -> list[UUID]:
    """Return the runs that wait, or whose worker did not come back."""
    return list(PreflightRun.objects.filter(_claimable(now)).values_list("pk", flat=True))


def run_preflight(run_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Carry a waiting run out; False when somebody else does, or it is gone. Must not be called in a transaction."""
    if not _claim(run_id, now=clock()):
        return False
    run = _loaded(run_id)
    for _ in carry_out(run, clock=clock):
        """Every line is stored as it comes."""
    return True


def carry_out(run: PreflightRun, *, clock: Callable[[], datetime]) -> Iterator[News]:
    """Run every line of a claimed run, store each as it comes, and pass the news on."""
    inputs: dict[str, str] = json.loads(run.inputs) if run.inputs else {}
    context = CheckContext(endpoint=run.endpoint, now=clock(), inputs=inputs)
    known = {line.name: line for line in run.lines.all()}
    counts = dict.fromkeys(Outcome, 0)
    for news in run_checks(context, [check for check in doctor.checks(inputs) if check.name in known]):
        _store(known[news.check.name], news)
        if news.result is not None:
            counts[news.result.outcome] += 1
        yield news
    _remember(run, context, now=clock())
    run.state, run.finished_at, run.lease_until, run.inputs = PreflightRun.State.FINISHED, clock(), None, None
    run.passed, run.failed = counts[Outcome.PASSED], counts[Outcome.FAILED]
    run.save(update_fields=["state", "finished_at", "lease_until", "inputs", "passed", "failed"])


def claim_own(run: PreflightRun, *, now: datetime) -> PreflightRun | None:
    """Claim a run for this very process, as the command does; None when a worker was quicker."""
    return _loaded(run.pk) if _claim(run.pk, now=now) else None


def _claimable(now: datetime) -> Q:
    return Q(state=PreflightRun.State.WAITING) | Q(state=PreflightRun.State.RUNNING, lease_until__lte=now)


def _claim(run_id: UUID, *, now: datetime) -> bool:
    claimed = PreflightRun.objects.filter(_claimable(now), pk=run_id).update(
        state=PreflightRun.State.RUNNING, lease_until=now + LEASE
    )
    return claimed == 1


def _loaded(run_id: UUID) -> PreflightRun:
    joined = PreflightRun.objects.select_related("endpoint__organization__teams_tenant", "endpoint__approved_version")
    return joined.get(pk=run_id)


def _store(line: PreflightLine, news: News) -> None:
    result = news.result
    if result is None:
        line.state = PreflightLine.State.RUNNING
        line.save(update_fields=["state"])
        return
    line.state, line.cause, line.who, line.todo = _STATES[result.outcome], result.cause, result.who, result.todo
    line.code, line.link, line.link_label = result.code, result.link, result.link_label
    line.milliseconds = news.milliseconds
    line.save()


def _remember(run: PreflightRun, context: CheckContext, *, now: datetime) -> None:
    """Keep what the server said about itself, unless another address was entered meanwhile."""
    found = address.described(context)
    if found is not None:
        same = FhirEndpoint.objects.filter(pk=run.endpoint_id, base_url=run.endpoint.base_url)
        same.update(discovered=found, discovered_at=now)


def _forget_older(endpoint: FhirEndpoint) -> None:
    """Keep the latest runs of an endpoint; older ones say nothing about the present."""
    kept = PreflightRun.objects.filter(endpoint=endpoint).order_by("-created_at").values("pk")[:_KEPT_RUNS]
    PreflightRun.objects.filter(endpoint=endpoint).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
