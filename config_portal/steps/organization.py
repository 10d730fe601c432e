"""Setup step: the organization is authorized, named and prepared."""

from django.urls import reverse

from config_portal import wizard
from config_portal.prerequisites import PREREQUISITES
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus
from core.moments import written


def register() -> None:
    """Put the step on the list."""
    wizard.register(
        SetupStep(name="organization", title="Organization and prerequisites", order=Order.ORGANIZATION, status=status)
    )


def status(context: SetupContext) -> StepStatus:
    """Return done once the organization is authorized and every prerequisite is confirmed."""
    organization, url = context.organization, reverse("portal:organization")
    if organization.test_authorized_at is None:
        return StepStatus(
            state=StepState.WAITING,
            detail="The operator of the EHR connector authorizes the organization",
            owner="the operator",
            since=organization.created_at,
            action_label="View",
            action_url=url,
        )
    confirmed = sum(item.key in organization.prerequisites for item in PREREQUISITES)
    is_described = bool(organization.help_phone and organization.epic_contact_email)
    if confirmed < len(PREREQUISITES) or not is_described:
        lacking = "" if is_described else "; contact or help line missing"
        return StepStatus(
            state=StepState.NEEDS_YOU,
            detail=f"{confirmed} of {len(PREREQUISITES)} prerequisites confirmed{lacking}",
            owner="Microsoft 365 admin",
            since=organization.test_authorized_at,
            action_label="Go on",
            action_url=url,
        )
    scope = "testing and production" if organization.production_authorized_at else "testing"
    authorized_at = organization.production_authorized_at or organization.test_authorized_at
    since = written(authorized_at, style="date", zone_name=organization.time_zone)
    detail = f"Authorized for {scope} since {since}"
    return StepStatus(state=StepState.DONE, detail=detail, since=authorized_at, action_label="View", action_url=url)
