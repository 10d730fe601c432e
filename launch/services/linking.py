"""Context-aware links: a visit named by an encrypted query string instead of a SMART launch.

Whoever holds the key can write one, so it is off unless approved, has an age, and opens a visit once.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from config_portal.models import FhirEndpoint
from config_portal.services.connections import approved_configuration
from core import crypto
from core.context import request_id
from core.errors import ConnectorError, LaunchRefused
from epic.connection import Audience
from epic.context import read_context
from epic.context_link import IvPlace, KeyForm, LinkSecret, open_link, sealed_bytes
from epic.oauth import ContextFields
from launch.models import ContextLink, LaunchAttempt
from launch.services.finishing import open_visit, state_on_arrival
from meetings.models import Participant

PART = "context_link"
LABELS = {
    "parameter": "Parameter",
    "key_form": "Form of the shared key",
    "iv": "Initialization vector",
    "longest_age_seconds": "Longest age in seconds",
}
# What a link calls a person → which way in is theirs, and what they are to the visit.
_ROLES = {
    "provider": (Audience.PROVIDER, Participant.Role.PROVIDER),
    "patient": (Audience.PATIENT, Participant.Role.PATIENT),
    "proxy": (Audience.PATIENT, Participant.Role.PROXY),
}


def snapshot_part(endpoint: FhirEndpoint) -> dict[str, Any]:
    """Return what an approval covers; nothing while links are off."""
    link = getattr(endpoint, "context_link", None)
    return {name: getattr(link, name) for name in LABELS} if link is not None and link.is_enabled else {}


def sentence(part: Mapping[str, Any]) -> str:
    """Say what the part means."""
    if not part:
        return "Visits are opened by SMART launch only."
    return "Visits may also be opened by context-aware links, which anybody can write who holds the shared key."


def parameter_of(endpoint: FhirEndpoint) -> str:
    """Return the name of the parameter that carries a link.

    :raises LaunchRefused: ``launch.unknown_record`` while links are off: they look as if there were none.
    :raises ConfigurationError: when nothing is approved, or the endpoint is paused.
    """
    return str(_approved(endpoint)["parameter"])


def arrive(endpoint: FhirEndpoint, audience: Audience, data: str, *, now: datetime) -> LaunchAttempt:
    """Open the visit that a link names.

    :raises LaunchRefused: ``launch.link_unreadable`` for everything that is wrong with the link itself, a second
        use included; otherwise as :func:`launch.services.finishing.open_visit`.
    :raises ConfigurationError: when links are not set up as they should be.
    """
    part = _approved(endpoint)
    fields = open_link(data, _secret(endpoint, part), now=now)
    role = fields.get("role", audience.value)
    way_in, participant_role = _ROLES.get(role, (None, None))
    if way_in is not audience or participant_role is None:
        raise LaunchRefused("launch.link_unreadable", "Epic's link could not be read.")
    context = read_context(ContextFields(fields))
    attempt = _begin(endpoint, audience, data)
    try:
        open_visit(attempt, context, role=participant_role, ehr_user_id=context.user_id, now=now)
    except ConnectorError as error:
        attempt.conclude(LaunchAttempt.State.REFUSED, now=now, error_code=error.code)
        raise
    attempt.conclude(state_on_arrival(attempt, context), now=now)
    return attempt


def _approved(endpoint: FhirEndpoint) -> dict[str, Any]:
    part = approved_configuration(endpoint).part(PART)
    if not part:
        raise LaunchRefused("launch.unknown_record")
    return part


def _secret(endpoint: FhirEndpoint, part: dict[str, Any]) -> LinkSecret:
    seconds = int(part["longest_age_seconds"])
    return LinkSecret(
        key=ContextLink.objects.get(endpoint=endpoint).key,
        form=KeyForm(part["key_form"]),
        iv=IvPlace(part["iv"]),
        longest_age=timedelta(seconds=seconds) if seconds else None,
    )


def _begin(endpoint: FhirEndpoint, audience: Audience, data: str) -> LaunchAttempt:
    """Use the link up; one that was used looks like any other that cannot be read."""
    digest = hashlib.sha256(sealed_bytes(data)).hexdigest()
    try:
        with transaction.atomic():
            return LaunchAttempt.objects.create(
                organization=endpoint.organization,
                endpoint=endpoint,
                audience=audience,
                context_link_index=crypto.index(digest, purpose=f"context_link:{endpoint.pk}"),
                request_id=request_id(),
            )
    except IntegrityError as error:
        raise LaunchRefused("launch.link_unreadable", "Epic's link could not be read.") from error
