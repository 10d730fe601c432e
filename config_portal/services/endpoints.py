"""Add and change FHIR endpoints. What is written here is a draft until it is approved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from config_portal.models import FhirEndpoint, Organization
from config_portal.services.preview import Preview
from config_portal.services.sharing import claim_base_url
from core import audit
from core.errors import ConfigurationError

# What the draft consists of; everything else about an endpoint follows from what happens.
EDITABLE = (
    "name", "base_url", "provider_client_id", "patient_client_id", "backend_client_id", "assertion_algorithm",
    "authorize_method",
    "approver_username", "time_zone", "visit_types", "departments", "frame_ancestors", "join_opens_minutes",
    "join_closes_minutes",
)  # fmt: skip


def add_endpoint(
    organization: Organization,
    *,
    environment: str,
    values: Mapping[str, Any],
    found: Preview | None,
    code: str = "",
    actor: str,
    now: datetime,
) -> FhirEndpoint:
    """Add a FHIR endpoint to the organization's list.

    :param values: by name, those of :data:`EDITABLE`; ``base_url`` in normal form.
    :param found: what its preview found; None when nobody looked.
    :param code: of an affiliate's invitation.
    :raises ConfigurationError: ``organization.not_authorized``, ``endpoint.name_taken``, or as
        :func:`config_portal.services.sharing.claim_base_url`.
    """
    if organization.authorized_at(environment) is None:
        raise ConfigurationError(
            "organization.not_authorized", f"The organization is not authorized for {environment} yet."
        )
    endpoint = FhirEndpoint(organization=organization, environment=environment)
    _assign(endpoint, values)
    _remember(endpoint, found, now=now)
    with transaction.atomic():
        claim_base_url(organization, endpoint.base_url, code=code, actor=actor, now=now)
        _save(endpoint)
        _record("endpoint.added", endpoint, actor=actor, changed={name: values[name] for name in sorted(values)})
    return endpoint


def change_endpoint(
    endpoint: FhirEndpoint,
    *,
    values: Mapping[str, Any],
    found: Preview | None,
    code: str = "",
    actor: str,
    now: datetime,
) -> list[str]:
    """Change the draft and return the names of what changed; what runs is untouched.

    :raises ConfigurationError: as :func:`add_endpoint`.
    """
    with transaction.atomic():
        locked = FhirEndpoint.objects.select_for_update(of=("self",)).select_related("organization").get(pk=endpoint.pk)
        before = {name: getattr(locked, name) for name in EDITABLE}
        _assign(locked, values)
        changed = [name for name in EDITABLE if getattr(locked, name) != before[name]]
        if "base_url" in changed:
            claim_base_url(locked.organization, locked.base_url, code=code, actor=actor, now=now)
            forget_discovery(locked)
            locked.discovered, locked.discovered_at = {}, None  # it was another server's
        _remember(locked, found, now=now)
        _save(locked)
        if changed:
            differences = {name: {"was": before[name], "now": getattr(locked, name)} for name in changed}
            _record("endpoint.changed", locked, actor=actor, changed=differences)
    return changed


def _assign(endpoint: FhirEndpoint, values: Mapping[str, Any]) -> None:
    for name in EDITABLE:
        if name in values:
            setattr(endpoint, name, values[name])


def _remember(endpoint: FhirEndpoint, found: Preview | None, *, now: datetime) -> None:
    if found is not None:
        endpoint.discovered, endpoint.discovered_at = found.as_stored(), now


def forget_discovery(endpoint: FhirEndpoint) -> None:
    """Drop what was found at an address that is no longer the endpoint's."""
    endpoint.discovered, endpoint.discovered_at = {}, None


def _save(endpoint: FhirEndpoint) -> None:
    try:
        with transaction.atomic():
            endpoint.save()
    except IntegrityError as error:
        raise ConfigurationError("endpoint.name_taken", "Another FHIR base URL on your list has this name.") from error


def _record(action: str, endpoint: FhirEndpoint, *, actor: str, changed: Mapping[str, Any]) -> None:
    audit.record(action, organization_id=endpoint.organization_id, actor=actor, subject=endpoint, **changed)
