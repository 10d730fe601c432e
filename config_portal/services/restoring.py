"""Put an earlier version back into the draft. It runs only once it has been approved like any other change."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config_portal import snapshot
from config_portal.models import ConfigurationVersion, FhirEndpoint
from core import audit

# What makes the endpoint itself; everything else of it is a draft that an earlier version can fill.
_FIXED = {"environment", "launch_id", "approver_username", "approver_object_id", "approver_tenant_id"}


@transaction.atomic
def restore(endpoint: FhirEndpoint, version: ConfigurationVersion, *, actor: str) -> list[str]:
    """Write the content of ``version`` into the draft of its endpoint.

    What belongs to the whole organization (its name, its Teams tenant) stays: other connections use it too.

    :return: titles of the parts that stayed as they are although the version had them.
    """
    locked = FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    changes = _restore_own(locked, version.snapshot["endpoint"])
    stayed = []
    for name, part in snapshot.parts().items():
        content = version.snapshot.get(name)
        if content is None:
            continue
        if part.restore is None:
            stayed.append(part.title or name)
        else:
            part.restore(locked, content)
    audit.record(
        "configuration.restored",
        organization_id=locked.organization_id,
        actor=actor,
        subject=locked,
        number=version.number,
        changes=changes,
    )
    return stayed


def _restore_own(endpoint: FhirEndpoint, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [name for name in content if name not in _FIXED and hasattr(endpoint, name)]
    before = {name: getattr(endpoint, name) for name in names}
    for name in names:
        setattr(endpoint, name, content[name])
    if before["base_url"] != endpoint.base_url:
        endpoint.discovered, endpoint.discovered_at = {}, None  # it was another server's
    endpoint.full_clean(validate_unique=False, validate_constraints=False)
    endpoint.save(update_fields=[*names, "discovered", "discovered_at"])
    return audit.differences(before, {name: content[name] for name in names})
