"""Setup step: context-aware links, for an Epic without SMART launch."""

from django.urls import reverse

from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus, register
from launch.models import ContextLink

AFTER_ENDPOINTS = Order.ENDPOINTS + 5


def register_step() -> None:
    """Put the step on the list."""
    step = SetupStep(
        name="context-links", title="Context-aware links", order=AFTER_ENDPOINTS, status=status, is_optional=True
    )
    register(step)


def status(context: SetupContext) -> StepStatus:
    """Say for how many connections links are on; off is a choice too."""
    if not context.endpoints:
        return StepStatus(state=StepState.BLOCKED, detail="Needs a FHIR base URL first")
    links = [getattr(endpoint, "context_link", None) for endpoint in context.endpoints]
    enabled = sum(1 for link in links if isinstance(link, ContextLink) and link.is_enabled)
    detail = f"On for {enabled} of {len(context.endpoints)} connections" if enabled else "Off: SMART launch only"
    return StepStatus(state=StepState.DONE, detail=detail, action_label="View", action_url=reverse("links:overview"))
