"""An approval that was pressed and waits for Entra's word, kept on the server in the browser's session."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from config_portal.models import FhirEndpoint

LASTS = timedelta(minutes=10)
_KEY = "approval_intent"


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What was pressed: approve what a page showed, by the digest of its snapshot."""

    endpoint_id: UUID
    digest: str
    pressed_at: datetime


def remember(session: SessionBase, endpoint: FhirEndpoint, *, digest: str, now: datetime) -> None:
    """Remember that the approval was pressed; one that was pressed before is forgotten."""
    session[_KEY] = {"endpoint": str(endpoint.pk), "digest": digest, "at": now.isoformat()}


def take(session: SessionBase, *, now: datetime) -> Intent | None:
    """Return what was pressed within the last ten minutes, once; None when there is nothing."""
    kept = session.pop(_KEY, None)
    if kept is None:
        return None
    pressed_at = datetime.fromisoformat(kept["at"])
    intent = Intent(endpoint_id=UUID(kept["endpoint"]), digest=kept["digest"], pressed_at=pressed_at)
    return intent if now - pressed_at < LASTS else None
