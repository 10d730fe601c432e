"""Setup step: the pre-flight check passed for every FHIR base URL."""

from django.urls import reverse

from config_portal import wizard
from config_portal.models import FhirEndpoint, PreflightLine, PreflightRun
from config_portal.services.setup import latest_runs
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus


def register() -> None:
    """Put the step on the list."""
    wizard.register(SetupStep(name="preflight", title="Pre-flight check", order=Order.PREFLIGHT, status=status))


def status(context: SetupContext) -> StepStatus:
    """Return done once the latest run of every address passed; else name the first thing that failed."""
    if not context.endpoints:
        return StepStatus(state=StepState.BLOCKED, detail="After the first FHIR base URL")
    runs = latest_runs(context.endpoints)
    for endpoint in context.endpoints:
        run = runs.get(endpoint.pk)
        if run is None:
            return _not_checked(endpoint)
        if run.state != PreflightRun.State.FINISHED:
            return StepStatus(
                state=StepState.WAITING,
                detail=f"The check of {endpoint.name} is running",
                owner="the check",
                since=run.created_at,
                action_label="Watch",
                action_url=reverse("portal:preflight", args=[endpoint.pk]),
            )
        if run.failed:
            return _failed(endpoint, run)
    checked = [run.finished_at for run in runs.values() if run.finished_at]
    return StepStatus(
        state=StepState.DONE,
        detail=f"All {sum(run.passed for run in runs.values())} checks passed",
        since=max(checked),
        action_label="Check again",
        action_url=reverse("portal:preflights"),
    )


def _not_checked(endpoint: FhirEndpoint) -> StepStatus:
    return StepStatus(
        state=StepState.NOT_STARTED,
        detail=f"{endpoint.name} has not been checked",
        owner="Microsoft 365 admin or Epic analyst",
        action_label=f"Check {endpoint.name}",
        action_url=reverse("portal:preflight", args=[endpoint.pk]),
    )


def _failed(endpoint: FhirEndpoint, run: PreflightRun) -> StepStatus:
    line = PreflightLine.objects.filter(run=run, state=PreflightLine.State.FAILED).first()
    what = f": {line.cause}" if line else ""
    return StepStatus(
        state=StepState.NEEDS_YOU,
        detail=f"{endpoint.name}, {run.passed} of {run.passed + run.failed} passed{what}",
        owner=line.who if line else "",
        since=run.finished_at,
        action_label="Show what failed",
        action_url=reverse("portal:preflight", args=[endpoint.pk]),
    )
