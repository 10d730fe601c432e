"""Setup step: at least one FHIR base URL is complete and has an approver."""

from collections.abc import Sequence

from django.urls import reverse

from config_portal import wizard
from config_portal.models import FhirEndpoint
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus


def register() -> None:
    """Put the step on the list."""
    wizard.register(
        SetupStep(name="endpoints", title="FHIR base URLs and approver", order=Order.ENDPOINTS, status=status)
    )


def status(context: SetupContext) -> StepStatus:
    """Return done once every address has its client ids, an approver and telehealth visit types."""
    url = reverse("portal:endpoints")
    if context.organization.test_authorized_at is None:
        return StepStatus(state=StepState.BLOCKED, detail="After the organization is authorized")
    if not context.endpoints:
        return StepStatus(
            state=StepState.NOT_STARTED,
            detail="Begin with the address of your test Epic",
            owner="Microsoft 365 admin",
            action_label="Add a FHIR base URL",
            action_url=reverse("portal:endpoint_add"),
        )
    incomplete = [(endpoint, missing) for endpoint in context.endpoints if (missing := missing_of(endpoint))]
    if incomplete:
        endpoint, missing = incomplete[0]
        more = f", and {len(incomplete) - 1} more to complete" if len(incomplete) > 1 else ""
        return StepStatus(
            state=StepState.NEEDS_YOU,
            detail=f"{endpoint.name} lacks {', '.join(missing)}{more}",
            owner="Microsoft 365 admin",
            since=endpoint.created_at,
            action_label=f"Complete {endpoint.name}",
            action_url=reverse("portal:endpoint_edit", args=[endpoint.pk]),
        )
    return StepStatus(
        state=StepState.DONE,
        detail=f"{_counted(context.endpoints)} · {_approvers(context.endpoints)}",
        since=max(endpoint.created_at for endpoint in context.endpoints),
        action_label="Change",
        action_url=url,
    )


def missing_of(endpoint: FhirEndpoint) -> list[str]:
    """Return what a FHIR base URL needs before it can be checked and approved."""
    ids = (endpoint.provider_client_id, endpoint.patient_client_id, endpoint.backend_client_id)
    needed = (
        ("client ids", all(ids)),
        ("an approver", bool(endpoint.approver_username)),
        ("telehealth visit types", bool(endpoint.visit_types)),
    )
    return [name for name, is_there in needed if not is_there]


def _counted(endpoints: Sequence[FhirEndpoint]) -> str:
    production = sum(endpoint.is_production for endpoint in endpoints)
    counts = ((len(endpoints) - production, "test"), (production, "production"))
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def _approvers(endpoints: Sequence[FhirEndpoint]) -> str:
    names = sorted({endpoint.approver_username for endpoint in endpoints})
    if len(names) == 1:
        return f"approver {names[0]}"
    return f"{len(names)} approvers"
