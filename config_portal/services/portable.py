"""A configuration as a file: written, kept under version control, read back byte for byte.

The file holds the draft of one organization: no secrets, keys, approvals or authorizations. What other apps
keep in it they register with :mod:`config_portal.portability`.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config_portal import portability
from config_portal.models import FhirEndpoint, Organization, TeamsTenant
from config_portal.portability import Reading, apply, plain
from config_portal.services import endpoints as endpoint_services
from config_portal.services.organizations import EDITABLE as ORGANIZATION_FIELDS
from config_portal.services.organizations import create_organization
from config_portal.services.sharing import claim_base_url
from core import audit
from core.errors import ConfigurationError
from epic.base_url import check_base_url

FORMAT = "ehr-connector/configuration"
VERSION = 2
# Files of version 1 name nothing of texts, senders and write-back, which stay as they are.
_READ = (1, VERSION)
MOST_BYTES = 1_048_576

_TEAMS_FIELDS = (
    "client_id", "organizer_mode", "organizer_object_id", "lobby_scope", "allowed_presenters", "meeting_chat",
)  # fmt: skip
_ENDPOINT_FIELDS = (*endpoint_services.EDITABLE, "connection_status")


def export_configuration(organization: Organization, *, now: datetime) -> str:
    """Return the draft of ``organization`` as JSON: sorted, indented by two, UTF-8, one line feed at the end.

    :param now: what has expired by then is left out.
    """
    tenant = TeamsTenant.objects.get(organization=organization)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "organization": {
            "slug": organization.slug,
            "region": organization.region,
            **{name: getattr(organization, name) for name in ORGANIZATION_FIELDS},
            "prerequisites": organization.prerequisites,
            **portability.write_organization(organization, now=now),
        },
        "teams": {
            "tenant_id": str(tenant.tenant_id),
            **{name: plain(getattr(tenant, name)) for name in _TEAMS_FIELDS},
        },
        "endpoints": [_endpoint(endpoint, now=now) for endpoint in organization.endpoints.order_by("name")],
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@transaction.atomic
def import_configuration(data: bytes, *, actor: str, now: datetime) -> list[str]:
    """Bring the organization in ``data`` to what the file says, and name what changed.

    :raises ConfigurationError: ``import.unreadable`` for anything but such a file, ``import.invalid`` naming the
        first value that cannot be, or as the services that create and share.
    """
    content, reading = _read(data), Reading(actor=actor, now=now)
    try:
        organization = _organization(content, actor=actor)
        changed = apply(organization, _chosen(content["organization"], (*ORGANIZATION_FIELDS, "prerequisites")))
        tenant = TeamsTenant.objects.get(organization=organization)
        changed += [f"teams.{name}" for name in apply(tenant, _chosen(content["teams"], _TEAMS_FIELDS))]
        changed += portability.read_organization(organization, content["organization"], reading)
        for values in content["endpoints"]:
            changed += _import_endpoint(organization, values, reading)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            "import.unreadable", f"The file lacks something or has a wrong value: {error}"
        ) from error
    if changed:
        audit.record(
            "configuration.imported",
            organization_id=organization.pk,
            actor=actor,
            subject=organization,
            changed=changed,
        )
    return changed


def _read(data: bytes) -> dict[str, Any]:
    if len(data) > MOST_BYTES:
        raise ConfigurationError("import.unreadable", "The file is larger than 1 MB.")
    try:
        content = json.loads(data)
    except ValueError as error:
        raise ConfigurationError("import.unreadable", "The file is not JSON.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") not in _READ:
        raise ConfigurationError("import.unreadable", "This is no file that export_configuration wrote.")
    return content


def _organization(content: Mapping[str, Any], *, actor: str) -> Organization:
    """Return the organization of the file, created when it is not here; its tenant must be the same."""
    named, tenant_id = content["organization"], UUID(content["teams"]["tenant_id"])
    known = Organization.objects.select_for_update().filter(slug=named["slug"]).first()
    if known is None:
        return create_organization(
            slug=named["slug"],
            tenant_id=tenant_id,
            region=named["region"],
            values=_chosen(named, ORGANIZATION_FIELDS),
            actor=actor,
        )
    if TeamsTenant.objects.get(organization=known).tenant_id != tenant_id:
        raise ConfigurationError("import.other_tenant", f"{known.slug} belongs to another Entra tenant.")
    return known


def _import_endpoint(organization: Organization, values: dict[str, Any], reading: Reading) -> list[str]:
    name = str(values["name"])
    wanted = {field: values[field] for field in _ENDPOINT_FIELDS}
    wanted["base_url"] = check_base_url(str(values["base_url"]))
    known = FhirEndpoint.objects.filter(organization=organization, name=name).first()
    endpoint = known or FhirEndpoint(organization=organization, environment=values["environment"])
    if endpoint.environment != values["environment"]:
        raise ConfigurationError("import.invalid", f"{name}: the environment of a FHIR base URL cannot be changed.")
    if known is None:
        endpoint.launch_id = UUID(values["launch_id"])
    if known is None or known.base_url != wanted["base_url"]:
        claim_base_url(organization, wanted["base_url"], code="", actor=reading.actor, now=reading.now)
        endpoint_services.forget_discovery(endpoint)
    changed = apply(endpoint, wanted, is_new=known is None)
    changed += portability.read_endpoint(endpoint, values, reading)
    return [f"{name}.{field}" for field in changed]


def _endpoint(endpoint: FhirEndpoint, *, now: datetime) -> dict[str, Any]:
    return {
        "environment": endpoint.environment,
        "launch_id": str(endpoint.launch_id),
        **{name: getattr(endpoint, name) for name in _ENDPOINT_FIELDS},
        **portability.write_endpoint(endpoint, now=now),
    }


def _chosen(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names}
