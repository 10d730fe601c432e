"""A visit in which people come and go, and an Epic that hears of it."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from config_portal.services.connections import approved_configuration
from core.http import build_session
from epic import backend
from epic.connection import SmartEndpoints
from meetings.models import Meeting, Participant, PresenceEvent
from meetings.signals import presence_changed
from tests import factories
from tests.epic.peer import Peer
from visits.models import Visit
from writeback.models import WritebackConfiguration, WritebackEvent

STATUS_PATH = "/interconnect/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"
TOKEN_PATH = "/interconnect/oauth2/token"

Tell = Callable[..., WritebackEvent]


STATES = {
    PresenceEvent.Kind.LOBBY_ENTERED: Participant.State.WAITING,
    PresenceEvent.Kind.CONNECTED: Participant.State.CONNECTED,
    PresenceEvent.Kind.LEFT_LOBBY: Participant.State.LEFT,
    PresenceEvent.Kind.DISCONNECTED: Participant.State.LEFT,
}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """An Epic that hands out backend tokens."""
    monkeypatch.setattr(backend.tokens, "_kept", {})
    server = Peer()
    server.answers(TOKEN_PATH, {"access_token": "at", "token_type": "bearer", "expires_in": 3600})
    yield server
    server.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with build_session() as built:
        yield built


@pytest.fixture
def visit(peer: Peer) -> Visit:
    """A visit at ``peer`` whose conference id is known."""
    endpoint = factories.make_endpoint(approved=False, with_sms=False, base_url=f"{peer.url}/interconnect/api/FHIR/R4")
    oauth = f"{peer.url}/interconnect/oauth2"
    smart = SmartEndpoints(
        issuer=oauth,
        authorization_endpoint=f"{oauth}/authorize",
        token_endpoint=f"{oauth}/token",
        jwks_uri=f"{oauth}/jwks",
    )
    factories.approve(endpoint, smart=smart)
    visit = factories.make_visit(endpoint)
    set_conference(visit, "1853")
    return visit


def set_conference(visit: Visit, conference_id: str | None) -> None:
    visit.conference_id = conference_id
    visit.save(update_fields=["conference_id"])


@pytest.fixture
def meeting(visit: Visit) -> Meeting:
    return Meeting.objects.create(
        organization=visit.organization,
        visit=visit,
        external_id=uuid.uuid4().hex,
        tenant_id=factories.TENANT_ID,
        client_id=uuid.UUID(int=42),
        organizer_object_id=factories.ORGANIZER_ID,
        state=Meeting.State.READY,
        created_at=timezone.now(),
    )


@pytest.fixture
def add(meeting: Meeting, now: datetime) -> Callable[..., Participant]:
    """Add somebody to the meeting."""

    def create(role: str = Participant.Role.PROVIDER, **values: Any) -> Participant:
        ordinal = meeting.participants.filter(role=role).count() + 1
        return Participant.objects.create(
            organization=meeting.organization,
            meeting=meeting,
            role=role,
            ordinal=ordinal,
            state_at=now,
            created_at=now,
            **values,
        )

    return create


@pytest.fixture
def provider(add: Callable[..., Participant]) -> Participant:
    return add(ehr_user_id="AOKAFOR")


@pytest.fixture
def tell(now: datetime) -> Tell:
    """Let a presence event happen and announce it, as meetings does; return the write-back."""

    def happen(participant: Participant, kind: str, at: datetime | None = None) -> WritebackEvent | None:
        event = PresenceEvent.objects.create(
            participant=participant,
            kind=kind,
            sequence=participant.presence_events.count() + 1,
            at=at or now + timedelta(seconds=participant.presence_events.count()),
            created_at=now,
        )
        participant.state = STATES[kind]
        participant.save()
        presence_changed.send(sender=PresenceEvent, participant=participant, event=event, now=now)
        return WritebackEvent.objects.filter(participant=participant, sequence=event.sequence).first()

    return happen


@pytest.fixture
def choose(visit: Visit) -> Callable[..., None]:
    """Choose and approve."""

    def chosen(**values: Any) -> None:
        smart = approved_configuration(visit.endpoint).smart
        WritebackConfiguration.objects.update_or_create(endpoint=visit.endpoint, defaults=values)
        factories.approve(visit.endpoint, smart=smart)

    return chosen
