"""How an Epic is told, in the configuration file; a password is never part of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config_portal.models import FhirEndpoint
from config_portal.portability import Reading, check, invalid
from core.errors import ConfigurationError
from epic.telehealth import ConnectionStatusSettings
from writeback.models import WritebackConfiguration
from writeback.services import drafts


def write(endpoint: FhirEndpoint, _now: datetime) -> dict[str, Any] | None:
    """Return the draft of ``endpoint``; None when nothing was ever chosen."""
    draft = WritebackConfiguration.objects.filter(endpoint=endpoint).first()
    return {name: getattr(draft, name) for name in drafts.FIELDS} if draft else None


def read(endpoint: FhirEndpoint, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Bring the draft to ``content``; the password that is stored stays.

    :raises ConfigurationError: ``import.invalid``.
    """
    wanted = {name: content[name] for name in drafts.FIELDS}
    draft = drafts.draft_of(endpoint)
    is_new = draft._state.adding
    for name, value in wanted.items():
        setattr(draft, name, value)
    check(draft, wanted)
    _check_together(endpoint, wanted)
    changed = drafts.save_draft(
        endpoint, wanted, connection_status=endpoint.connection_status, password="", actor=reading.actor
    )
    return list(drafts.FIELDS) if is_new else changed


def _check_together(endpoint: FhirEndpoint, wanted: Mapping[str, Any]) -> None:
    try:
        ConnectionStatusSettings.from_json(wanted["device_test_service"])
    except ConfigurationError as error:
        raise invalid(endpoint.name, "device_test_service cannot be used.") from error
    # A password is entered after the import: it is in no file.
    for field, problem in drafts.check(wanted, has_password=True).items():
        raise invalid(endpoint.name, f"{field}: {problem}")
