"""Setup step: how each Epic is told who is in a visit."""

from django.urls import reverse

from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus, register
from writeback.models import WritebackConfiguration
from writeback.models.configuration import Means

AFTER_SMS = Order.SMS + 7


def register_step() -> None:
    """Put the step on the list."""
    register(SetupStep(name="writeback", title="Telling Epic", order=AFTER_SMS, status=status, is_optional=True))


def status(context: SetupContext) -> StepStatus:
    """Say by which means each Epic is told; the defaults are a choice too."""
    if not context.endpoints:
        return StepStatus(state=StepState.BLOCKED, detail="Needs a FHIR base URL first")
    chosen = dict(
        WritebackConfiguration.objects.filter(endpoint__in=context.endpoints).values_list("endpoint_id", "means")
    )
    means = {Means(chosen.get(endpoint.pk, Means.CONNECTION_STATUS)) for endpoint in context.endpoints}
    words = ", ".join(str(kind.label).partition(",")[0] for kind in sorted(means))
    own = f"{len(chosen)} of {len(context.endpoints)} connections with settings of their own" if chosen else "as usual"
    return StepStatus(
        state=StepState.DONE,
        detail=f"By {words}, {own}",
        action_label="View",
        action_url=reverse("writeback:overview"),
    )
