"""How one Epic's interface writes what the standard leaves open: a draft until it is approved."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config_portal.models import FhirEndpoint
from core import audit
from hl7intake.models import SenderSettings

LABELS = {
    "start_places": "Where the start stands",
    "session_id_places": "Where the CSN stands",
    "status_map": "What its statuses mean (SCH-25)",
    "fallback_charset": "Characters when MSH-18 is wrong",
}


def draft_of(endpoint: FhirEndpoint) -> SenderSettings:
    """Return what is set up for ``endpoint``; as Epic's own interface writes, and not stored, when nothing is."""
    return SenderSettings.objects.filter(endpoint=endpoint).first() or SenderSettings(endpoint=endpoint)


@transaction.atomic
def save_draft(endpoint: FhirEndpoint, values: Mapping[str, Any], *, actor: str) -> bool:
    """Store ``values``, named as in :data:`LABELS`, as the draft; return whether anything changed."""
    FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)  # one editor at a time
    row = draft_of(endpoint)
    before = {label: getattr(row, name) for name, label in LABELS.items()}
    changes = audit.differences(before, {label: values[name] for name, label in LABELS.items()})
    if not changes:
        return False
    for name in LABELS:
        setattr(row, name, values[name])
    row.save()
    audit.record(
        "interface.setup_changed",
        organization_id=endpoint.organization_id,
        actor=actor,
        subject=endpoint,
        changes=changes,
    )
    return True
