"""Setup step: key pairs exist, and Epic has fetched them."""

from django.urls import reverse

from config_portal import wizard
from config_portal.models import SigningKey
from config_portal.services.rotation import key_sets
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus
from core.moments import ago, written


def register() -> None:
    """Put the step on the list."""
    wizard.register(SetupStep(name="keys", title="Keys", order=Order.KEYS, status=status))


def status(context: SetupContext) -> StepStatus:
    """Return done once Epic has accepted a signature; before, it waits for Epic."""
    sets = key_sets(context.organization)
    keys = [key for one in sets for key in one.in_state(SigningKey.State.ACTIVE) if key.purpose != "notification"]
    if not keys:
        return StepStatus(state=StepState.BLOCKED, detail="They are made when the organization is authorized")
    url, zone = reverse("portal:keys"), context.organization.time_zone
    if any(one.upcoming for one in sets):
        switch_at = max(one.switch_at for one in sets if one.switch_at)
        day = written(switch_at, style="day", zone_name=zone)
        detail = f"New keys are published and used from {day} at the latest"
        return StepStatus(state=StepState.DONE, detail=detail, action_label="View", action_url=url)
    published = min(key.created_at for key in keys)
    confirmed = [key for key in keys if key.confirmed_at]
    if not confirmed:
        return StepStatus(
            state=StepState.WAITING,
            detail="Published. Epic fetches them within 24 hours once your analyst has entered the JWK Set URL",
            owner="Epic",
            since=published,
            action_label="View",
            action_url=url,
        )
    first = min(confirmed, key=lambda key: key.confirmed_at or context.now)
    after = ago(first.created_at, now=first.confirmed_at or context.now)
    when = written(first.confirmed_at or context.now, style="date", zone_name=zone)
    detail = f"Epic accepted the keys on {when}, {after} after they were published"
    return StepStatus(
        state=StepState.DONE, detail=detail, since=first.confirmed_at, action_label="View", action_url=url
    )
