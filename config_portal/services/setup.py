"""Where the setup of an organization stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from config_portal import snapshot, wizard
from config_portal.models import Environment, FhirEndpoint, Organization, PreflightRun
from config_portal.wizard import SetupContext, SetupStep, StepState, StepStatus


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Every step and where it stands, in order."""

    rows: Sequence[tuple[SetupStep, StepStatus]]

    @property
    def needed(self) -> list[tuple[SetupStep, StepStatus]]:
        """The steps without which the setup is not complete."""
        return [(step, status) for step, status in self.rows if not step.is_optional]

    @property
    def done(self) -> int:
        """How many needed steps are done."""
        return sum(status.state == StepState.DONE for _, status in self.needed)

    @property
    def next_step(self) -> tuple[SetupStep, StepStatus] | None:
        """What comes next: the first needed step somebody here can act on, else the first that waits."""
        is_open = (StepState.NEEDS_YOU, StepState.NOT_STARTED)
        acts = [row for row in self.needed if row[1].state in is_open]
        waits = [row for row in self.needed if row[1].state == StepState.WAITING]
        return next(iter(acts + waits), None)


def progress_of(organization: Organization, *, now: datetime) -> Progress:
    """Return where every registered step stands; needs the same few queries for any number of endpoints."""
    loaded = Organization.objects.select_related("teams_tenant").get(pk=organization.pk)
    endpoints = list(snapshot.with_parts(FhirEndpoint.objects.for_organization(loaded)))
    context = SetupContext(organization=loaded, endpoints=endpoints, now=now)
    return Progress(rows=[(step, step.status(context)) for step in wizard.steps()])


def latest_runs(endpoints: Sequence[FhirEndpoint]) -> dict[UUID, PreflightRun]:
    """Return the newest pre-flight run of each of these endpoints, with one query."""
    runs = PreflightRun.objects.filter(endpoint__in=endpoints).order_by("endpoint_id", "-created_at")
    return {run.endpoint_id: run for run in runs.distinct("endpoint_id").defer("inputs")}


def has_verified_test_endpoint(organization: Organization) -> bool:
    """Return whether a test endpoint was approved or passed the whole pre-flight check."""
    test = FhirEndpoint.objects.for_organization(organization).filter(environment=Environment.TEST)
    is_passed = Q(preflight_runs__state=PreflightRun.State.FINISHED, preflight_runs__failed=0)
    return test.filter(Q(approved_version__isnull=False) | is_passed).exists()
