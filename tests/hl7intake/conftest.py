from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from config_portal.models import FhirEndpoint
from hl7intake.errors import AckCode
from hl7intake.models import InboundMessage
from hl7intake.reader import read_header
from hl7intake.services.certificates import add_certificate
from hl7intake.services.processing import apply_due
from hl7intake.services.receiving import receive
from hl7intake.services.senders import Sender
from hl7intake.trust import ServerIdentity
from tests.factories import make_endpoint
from tests.hl7intake.mllp import Peer, RunningListener, listening
from tests.hl7intake.pki import Identity, client_context, make_identity

State = InboundMessage.State


class Received(NamedTuple):
    """What a sender was told, and what became of the message afterwards."""

    code: AckCode
    messages: tuple[bytes, ...]
    state: InboundMessage.State | None


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 9, 14, 16, 0, tzinfo=UTC)


@pytest.fixture
def endpoint(db: None) -> FhirEndpoint:
    return make_endpoint()


@pytest.fixture
def sender(endpoint: FhirEndpoint) -> Sender:
    return sender_of(endpoint)


def receive_and_apply(raw: bytes, *, sender: Sender, now: datetime) -> Received:
    """Receive a message and let everything stored take effect; return answer and what became of it."""
    acknowledgement = receive(raw, sender=sender, now=now)
    while apply_due(now=now):
        pass
    control_id = read_header(raw).control_id
    row = InboundMessage.objects.filter(endpoint_id=sender.endpoint_id, control_id=control_id).first()
    return Received(acknowledgement.code, acknowledgement.messages, State(row.state) if row else None)


def sender_of(endpoint: FhirEndpoint) -> Sender:
    return Sender(organization_id=endpoint.organization_id, endpoint_id=endpoint.pk)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> ServerIdentity:
    certificate, key = make_identity("mllp.lamna.example.org").write(tmp_path_factory.mktemp("tls"), "listener")
    return ServerIdentity(certificate_path=str(certificate), key_path=str(key))


@pytest.fixture
def bridges(endpoint: FhirEndpoint) -> Identity:
    """The certificate of the hospital's interface engine, pinned."""
    identity = make_identity()
    add_certificate(endpoint, identity.pem, actor="dana", now=datetime.now(UTC))
    return identity


@pytest.fixture
def running(server: ServerIdentity, bridges: Identity) -> Iterator[RunningListener]:
    """A listener that looks at its list of certificates before each connection."""
    with listening(identity=server, trust_seconds=0, tick_seconds=0.1) as running:
        yield running


@pytest.fixture
def peer(running: RunningListener, bridges: Identity, tmp_path: Path) -> Iterator[Peer]:
    """A connection of the pinned sender to it."""
    with Peer(running.port, client_context(bridges, tmp_path)) as peer:
        yield peer
