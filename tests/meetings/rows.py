"""Meetings as rows, without a Teams behind them."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from config_portal.models import SigningKey
from config_portal.services.keys import active_key
from meetings.models import Meeting, Subscription
from tests.factories import make_visit
from visits.models import Visit

JOIN_URL = "https://teams.example.org/l/meetup-join/19%3ameeting_lamna/0"


def make_meeting(visit: Visit | None = None, **values: Any) -> Meeting:
    """Return a ready meeting of ``visit``."""
    visit = visit or make_visit()
    tenant = visit.organization.teams_tenant
    return Meeting.objects.create(
        **{
            "organization": visit.organization,
            "visit": visit,
            "external_id": uuid.uuid4().hex,
            "tenant_id": tenant.tenant_id,
            "client_id": tenant.client_id,
            "organizer_object_id": tenant.organizer_object_id,
            "graph_id": "MSoxMjM",
            "join_web_url": JOIN_URL,
            "patient_join_url": "https://visit.example.org/route?convId=1",
            "state": Meeting.State.READY,
            "created_at": timezone.now(),
            **values,
        }
    )


def make_subscription(meeting: Meeting | None = None, **values: Any) -> Subscription:
    """Return a live subscription that Graph encrypts for the organization's active key."""
    meeting = meeting or make_meeting()
    key = active_key(
        meeting.organization, environment=meeting.visit.endpoint.environment, purpose=SigningKey.Purpose.NOTIFICATION
    )
    now = timezone.now()
    return Subscription.objects.create(
        **{
            "meeting": meeting,
            "graph_id": str(uuid.uuid4()),
            "key": key,
            "expires_at": now + timedelta(days=2),
            "due_at": now + timedelta(days=1),
            **values,
        }
    )
