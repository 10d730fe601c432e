"""What an Epic said about itself when it was last asked, kept with the draft."""

from dataclasses import asdict
from datetime import datetime

from config_portal.models import FhirEndpoint
from core.http import build_session
from epic.connection import SmartEndpoints
from epic.discovery import DiscoveredEpic, discover


def ask_epic(endpoint: FhirEndpoint) -> DiscoveredEpic:
    """Ask the Epic of a draft about itself; nothing is stored.

    :raises ConnectorError: as :func:`epic.discovery.discover`.
    """
    client_id = endpoint.provider_client_id or endpoint.backend_client_id or endpoint.patient_client_id
    with build_session() as session:
        return discover(session, endpoint.base_url, client_id=client_id)


def remember(endpoint: FhirEndpoint, found: DiscoveredEpic, *, now: datetime) -> None:
    """Keep the OAuth addresses with the draft, beside what its preview found."""
    endpoint.discovered = {**(endpoint.discovered or {}), "smart": asdict(found.smart)}
    endpoint.discovered_at = now
    same = FhirEndpoint.objects.filter(pk=endpoint.pk, base_url=endpoint.base_url)
    same.update(discovered=endpoint.discovered, discovered_at=now)


def known_smart(endpoint: FhirEndpoint) -> SmartEndpoints | None:
    """Return the OAuth addresses of the draft's Epic: found last, or else approved; None when neither is known.

    Changing the base URL forgets what was found at the other one.
    """
    found = endpoint.discovered or {}
    if found.get("smart"):
        return SmartEndpoints(**found["smart"])
    approved = endpoint.approved_version
    if approved is not None and approved.snapshot["endpoint"]["base_url"] == endpoint.base_url:
        return SmartEndpoints(**approved.snapshot["smart"])
    return None
