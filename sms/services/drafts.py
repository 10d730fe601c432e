"""What is texted for one FHIR endpoint: drafts that wait for an approval, and the two switches that act at once."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from django.db import transaction

from config_portal.models import FhirEndpoint
from core import audit
from sms.models import PhoneNumber, SmsConfiguration
from sms.services.planning import approved_choices_of, part_of, snapshot_part

SHARES = (1, 5, 25, 50, 100)
FIELDS = (
    "number", "failover_number", "confirms_scheduled", "confirms_moved", "confirms_cancelled", "reminder_minutes",
    "quiet_from", "quiet_until", "visit_cap", "organization_cap",
)  # fmt: skip


def draft_of(endpoint: FhirEndpoint) -> SmsConfiguration:
    """Return the draft of ``endpoint``; one with the usual choices, not stored yet, when there is none."""
    found = SmsConfiguration.objects.select_related("number", "failover_number").filter(endpoint=endpoint).first()
    return found or SmsConfiguration(endpoint=endpoint)


def plain_choices(draft: SmsConfiguration) -> dict[str, Any]:
    """Return the choices of a draft as JSON: numbers as E.164 or None, times as HH:MM or None."""
    return {name: _plain(getattr(draft, name)) for name in FIELDS}


def contradictions(choices: Mapping[str, Any]) -> dict[str, str]:
    """Return which of ``choices`` do not go together: field → what to do."""
    number, second = choices.get("number"), choices.get("failover_number")
    are_alike = bool(number and second and number.supplier == second.supplier)
    has_half = bool(choices.get("quiet_from")) != bool(choices.get("quiet_until"))
    least = "Enter 1 or more; to send nothing, pause the texts"
    rules = (
        ("failover_number", are_alike, "Choose a number of another supplier: both would fail together"),
        ("number", bool(second and not number), "Choose the first number before a second one"),
        ("quiet_until", has_half, "Fill in both times, or neither for no quiet hours"),
        ("visit_cap", choices.get("visit_cap") == 0, least),
        ("organization_cap", choices.get("organization_cap") == 0, least),
    )
    return {field: problem for field, is_so, problem in rules if is_so}


@transaction.atomic
def save_draft(endpoint: FhirEndpoint, choices: Mapping[str, Any], *, actor: str) -> list[str]:
    """Store ``choices`` (see ``FIELDS``) as the draft; return the names of those that changed."""
    FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)  # one editor at a time
    draft = draft_of(endpoint)
    before = plain_choices(draft)
    is_new = SmsConfiguration.objects.filter(pk=draft.pk).exists() is False
    for name in FIELDS:
        setattr(draft, name, choices[name])
    draft.save()
    after = plain_choices(draft)
    changed = [name for name in FIELDS if before[name] != after[name]]
    if changed or is_new:
        audit.record(
            "sms.setup_changed",
            organization_id=endpoint.organization_id,
            actor=actor,
            subject=endpoint,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return changed


def needs_approval(endpoint: FhirEndpoint) -> bool:
    """Return whether what is drafted differs from what was approved and runs."""
    return snapshot_part(endpoint) != approved_choices_of(endpoint)


def differs(endpoint: FhirEndpoint, draft: SmsConfiguration | None, *, words: dict[str, dict[str, str]]) -> bool:
    """Return the same without a query, from the draft and the organization's own words."""
    return part_of(draft, words=words) != approved_choices_of(endpoint)


def pause(endpoint: FhirEndpoint, *, reason: str, actor: str) -> bool:
    """Send nothing for ``endpoint`` from now on, without an approval; False when it is paused already."""
    return _switch(endpoint, "sms.paused", actor=actor, reason=reason, is_paused=True)


def unpause(endpoint: FhirEndpoint, *, actor: str) -> bool:
    """Send again what was approved; what became too late meanwhile is not made up for."""
    return _switch(endpoint, "sms.unpaused", actor=actor, is_paused=False)


def release_share(endpoint: FhirEndpoint, percent: int, *, actor: str) -> bool:
    """Text about this share of visits from now on; which ones follows from the visit and stays the same."""
    return _switch(endpoint, "sms.share_changed", actor=actor, percent=percent, released_percent=percent)


def _switch(endpoint: FhirEndpoint, action: str, *, actor: str, **values: Any) -> bool:
    columns = {name: values[name] for name in ("is_paused", "released_percent") if name in values}
    data = {name: value for name, value in values.items() if name not in columns}
    with transaction.atomic():
        changed = SmsConfiguration.objects.filter(endpoint=endpoint).exclude(**columns).update(**columns)
        if changed:
            audit.record(action, organization_id=endpoint.organization_id, actor=actor, subject=endpoint, **data)
    return bool(changed)


def _plain(value: object) -> Any:
    """Return a choice as JSON: numbers as E.164, times as text."""
    if isinstance(value, PhoneNumber):
        return value.number
    return f"{value:%H:%M}" if isinstance(value, time) else value
