"""What an organization chooses for its reports."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config_portal.models import Organization
from core import audit
from reports.models import ReportSettings


def settings_of(organization: Organization) -> ReportSettings:
    """Return the choices of ``organization``, the defaults where it made none; not stored by this."""
    return ReportSettings.objects.filter(organization=organization).first() or ReportSettings(organization=organization)


@transaction.atomic
def change(organization: Organization, values: Mapping[str, Any], *, actor: str) -> bool:
    """Store new choices, and who made them; False when nothing is different."""
    before = settings_of(organization)
    found = {name: {"was": getattr(before, name), "now": now} for name, now in values.items()}
    changed: dict[str, Any] = {name: both for name, both in found.items() if both["was"] != both["now"]}
    if not changed:
        return False
    ReportSettings.objects.update_or_create(organization=organization, defaults=dict(values))
    audit.record("reports.settings_changed", organization_id=organization.pk, actor=actor, **changed)
    return True
