"""Setup step: meetings can be made in the organization's tenant."""

from datetime import timedelta

from django.urls import reverse

from config_portal import wizard
from config_portal.models import TeamsTenant
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus
from core.moments import written

EXPIRES_SOON = timedelta(days=30)
_ADMIN = "Microsoft 365 admin"


def register() -> None:
    """Put the step on the list."""
    wizard.register(SetupStep(name="teams", title="Microsoft Teams", order=Order.TEAMS, status=status))


def status(context: SetupContext) -> StepStatus:
    """Return done once application, organizer and a credential that lasts are there."""
    tenant: TeamsTenant | None = getattr(context.organization, "teams_tenant", None)
    if tenant is None:
        return StepStatus(state=StepState.BLOCKED, detail="After the organization's Entra tenant is known")
    url = reverse("teams:settings")
    missing = missing_of(tenant)
    if missing:
        is_new = tenant.client_id is None
        return StepStatus(
            state=StepState.NOT_STARTED if is_new else StepState.NEEDS_YOU,
            detail=f"Missing: {', '.join(missing)}",
            owner=_ADMIN,
            since=None if is_new else tenant.updated_at,
            action_label="Set up Teams",
            action_url=url,
        )
    what = "certificate" if tenant.certificate else "client secret"
    expires_at = tenant.credential_expires_at
    zone = context.organization.time_zone
    until = f", valid until {written(expires_at, style='date', zone_name=zone)}" if expires_at else ""
    is_soon = expires_at is not None and expires_at - context.now <= EXPIRES_SOON
    return StepStatus(
        state=StepState.NEEDS_YOU if is_soon else StepState.DONE,
        detail=f"{'Renew the' if is_soon else 'Proven by'} {what}{until}",
        owner=_ADMIN if is_soon else "",
        since=tenant.updated_at,
        action_label="Renew" if is_soon else "Change",
        action_url=url,
    )


def missing_of(tenant: TeamsTenant) -> list[str]:
    """Return what has to be there before a meeting can be made."""
    needed = (
        ("application id", tenant.client_id is not None),
        ("organizer", tenant.organizer_object_id is not None),
        ("certificate or secret", tenant.has_credential),
    )
    return [name for name, is_there in needed if not is_there]
