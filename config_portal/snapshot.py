"""What an approval covers: a snapshot in canonical JSON, with parts that other apps add.

An app registers its part from ``AppConfig.ready()``, with its words; the portal need not know the app.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from config_portal import canonical
from config_portal.models import FhirEndpoint, TeamsTenant

Content = dict[str, Any]
digest = canonical.digest  # by which an approval names its snapshot


@dataclass(frozen=True, kw_only=True)
class Part:
    """What an app adds to every snapshot.

    :param take: returns the part of an endpoint as it stands now; JSON values.
    :param title: names the part on the approval page.
    :param labels: key of a value to its name in words.
    :param sentence: says in one sentence what the part means; '' when there is nothing to say.
    :param related: what ``take`` reads by following relations of the endpoint, for ``select_related``, so that
        lists of endpoints need one query; ``related_lists`` the same for ``prefetch_related``.
    :param restore: writes an earlier part back into the draft, inside a transaction; without it the part
        stays as it is when an earlier version is restored.
    """

    name: str
    take: Callable[[FhirEndpoint], Content]
    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    sentence: Callable[[Mapping[str, Any]], str] | None = None
    related: tuple[str, ...] = ()
    related_lists: tuple[str, ...] = ()
    restore: Callable[[FhirEndpoint, Mapping[str, Any]], None] | None = None


_parts: dict[str, Part] = {}


def register(name: str, part: Callable[[FhirEndpoint], Content], **words_and_ways: Any) -> None:
    """Add what ``part`` returns for an endpoint to every snapshot, under ``name``.

    :param words_and_ways: the other fields of :class:`Part`.
    """
    _parts[name] = Part(name=name, take=part, **words_and_ways)


def parts() -> dict[str, Part]:
    """Return every registered part by name, in order."""
    return dict(sorted(_parts.items()))


def with_parts(endpoints: QuerySet[FhirEndpoint]) -> QuerySet[FhirEndpoint]:
    """Return ``endpoints`` with everything joined that a snapshot reads: taking it then needs no query."""
    own = ("organization__teams_tenant", "approved_version", "approver_binding")
    joined = endpoints.select_related(*own, *(name for part in parts().values() for name in part.related))
    return joined.prefetch_related(*(name for part in parts().values() for name in part.related_lists))


def take(endpoint: FhirEndpoint, *, smart: dict[str, str]) -> dict[str, Any]:
    """Return the snapshot of ``endpoint`` as it stands now.

    :param smart: the discovered OAuth addresses, as :class:`epic.connection.SmartEndpoints` names them.
    """
    organization = endpoint.organization
    tenant = getattr(organization, "teams_tenant", None)
    snapshot: dict[str, Any] = {
        "organization": {
            "name": organization.name,
            "country": organization.country,
            "time_zone": organization.time_zone,
            "help_phone": organization.help_phone,
        },
        "endpoint": {
            "environment": endpoint.environment,
            "base_url": endpoint.base_url,
            "launch_id": str(endpoint.launch_id),
            "provider_client_id": endpoint.provider_client_id,
            "patient_client_id": endpoint.patient_client_id,
            "backend_client_id": endpoint.backend_client_id,
            "assertion_algorithm": endpoint.assertion_algorithm,
            "authorize_method": endpoint.authorize_method,
            "time_zone": endpoint.time_zone,
            "visit_types": endpoint.visit_types,
            "departments": endpoint.departments,
            "frame_ancestors": endpoint.frame_ancestors,
            "connection_status": endpoint.connection_status,
            "join_opens_minutes": endpoint.join_opens_minutes,
            "join_closes_minutes": endpoint.join_closes_minutes,
            "approver_username": endpoint.approver_username,
            **_approver(endpoint),
        },
        "smart": smart,
        "teams": _teams(tenant) if tenant and tenant.is_complete else {},
    }
    return snapshot | {name: part.take(endpoint) for name, part in parts().items()}


def _approver(endpoint: FhirEndpoint) -> dict[str, str]:
    """Return the account that the approver's user name meant at the first sign-in; empty before it."""
    binding = getattr(endpoint, "approver_binding", None)
    if binding is None or not binding.is_for(endpoint.approver_username):
        return {"approver_object_id": "", "approver_tenant_id": ""}
    return {"approver_object_id": str(binding.object_id), "approver_tenant_id": str(binding.tenant_id)}


def _teams(tenant: TeamsTenant) -> dict[str, Any]:
    return {
        "tenant_id": str(tenant.tenant_id),
        "client_id": str(tenant.client_id),
        "organizer_mode": tenant.organizer_mode,
        "organizer_object_id": str(tenant.organizer_object_id),
        "lobby_scope": tenant.lobby_scope,
        "allowed_presenters": tenant.allowed_presenters,
        "meeting_chat": tenant.meeting_chat,
    }
