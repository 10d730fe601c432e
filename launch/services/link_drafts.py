"""Context-aware links as they are set up: a draft until it is approved, but for the key, which acts at once."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config_portal.models import FhirEndpoint
from core import audit
from launch.models import ContextLink
from launch.services.linking import LABELS

FIELDS = ("is_enabled", *LABELS)
_WORDS = {"is_enabled": "Context-aware links", **LABELS}


def draft_of(endpoint: FhirEndpoint) -> ContextLink:
    """Return what is set up for ``endpoint``; off, and not stored, when nothing is."""
    return ContextLink.objects.filter(endpoint=endpoint).first() or ContextLink(endpoint=endpoint, key="")


@transaction.atomic
def save_draft(endpoint: FhirEndpoint, values: Mapping[str, Any], *, key: str, actor: str) -> bool:
    """Store ``values`` (see :data:`FIELDS`) as the draft; return whether anything changed.

    :param key: a new shared key; '' keeps the one there is.
    """
    FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)  # one editor at a time
    link = draft_of(endpoint)
    before = {_WORDS[name]: getattr(link, name) for name in FIELDS}
    for name in FIELDS:
        setattr(link, name, values[name])
    changes = audit.differences(before, {_WORDS[name]: getattr(link, name) for name in FIELDS})
    if not changes and not key:
        return False
    link.key = key or link.key
    link.save()
    audit.record(
        "context_link.setup_changed",
        organization_id=endpoint.organization_id,
        actor=actor,
        subject=endpoint,
        changes=changes,
        key_replaced=bool(key),
    )
    return True
