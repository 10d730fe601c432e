"""What the reports do when a meeting's supplier has news."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from config_portal.models import Organization
from meetings.signals import call_recorded
from reports.services import call_news


@receiver(call_recorded, dispatch_uid="reports.call_recorded")
def note_call(organization: Organization, record_id: UUID, now: datetime, **_: Any) -> None:
    """Look at the call soon: it may be a visit's."""
    call_news.note(organization, record_id, now=now)
