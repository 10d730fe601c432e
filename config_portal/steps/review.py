"""Setup step: the integration records are there to be typed into Epic."""

from django.urls import reverse

from config_portal import wizard
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus


def register() -> None:
    """Put the step on the list."""
    wizard.register(SetupStep(name="review", title="Review and finish", order=Order.REVIEW, status=status))


def status(context: SetupContext) -> StepStatus:
    """Return done once a connection is approved: from then on its records can be copied at any time."""
    versions = [endpoint.approved_version for endpoint in context.endpoints if endpoint.approved_version]
    if not versions:
        return StepStatus(state=StepState.BLOCKED, detail="Integration records appear here after approval")
    count = len(versions)
    detail = f"Integration records of {count} connection{'' if count == 1 else 's'}, to copy, print and compare"
    return StepStatus(
        state=StepState.DONE,
        detail=detail,
        since=max(version.approved_at for version in versions),
        action_label="View",
        action_url=reverse("portal:records_overview"),
    )
