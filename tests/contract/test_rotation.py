"""Keys rotate while tokens are asked for, and Epic refuses none."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from config_portal.models import FhirEndpoint, SigningKey
from config_portal.services import keys, rotation
from config_portal.services.key_trials import try_upcoming
from core.http import build_session
from epic.connection import Audience
from epic.oauth import request_token
from tests.contract.epic_twin import EpicTwin, set_up
from tests.epic.peer import Peer
from tests.factories import approve, make_endpoint

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.django_db(transaction=True)]
REQUESTS, AT_ONCE = 200, 4


@dataclass
class Asker:
    """Asks for tokens with whatever key is in use, and counts."""

    endpoint: FhirEndpoint
    twin: EpicTwin
    purpose: str
    counted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def ask(self, _number: int) -> str:
        """Return the id of the key that Epic accepted; raises when it refused."""
        try:
            key = keys.client_key(self.endpoint, purpose=self.purpose)
            ours = replace(self.twin.connection(Audience.BACKEND), key=key)
            with build_session() as session:
                request_token(session, ours, {"grant_type": "client_credentials"}, now=timezone.now())
            return key.key_id
        finally:
            connections.close_all()
            self.counted.release()

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.counted.acquire(timeout=60)


@pytest.fixture
def server():
    peer = Peer()
    yield peer
    peer.close()


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_rotation_during_200_token_requests_fails_none(sandbox, server, algorithm):
    endpoint, now = make_endpoint(with_sms=False, approved=False), timezone.now()
    asker = Asker(endpoint, set_up(sandbox.url, server), keys.purpose_of(algorithm))

    def start():
        rotation.start_rotation(endpoint.organization, environment="test", actor="kim", now=now)
        SigningKey.objects.filter(state="published").update(created_at=now)

    switched_at = now + rotation.EPIC_KEEPS
    stages = (
        start,
        lambda: rotation.advance_rotations(now=switched_at),
        lambda: rotation.advance_rotations(now=switched_at + rotation.RETIRE_AFTER + timedelta(seconds=1)),
    )
    server.replace("/jwks", keys.public_keys(endpoint))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(asker.ask, number) for number in range(REQUESTS)]
        for stage in stages:
            asker.wait_for(REQUESTS // 4)
            stage()
            server.replace("/jwks", keys.public_keys(endpoint))
        used = {one.result() for one in asked}
    assert len(used) == 2


def test_new_keys_are_tried_at_epic_before_they_are_used(sandbox, server):
    twin = set_up(sandbox.url, server)
    ours = twin.connection(Audience.BACKEND)
    endpoint = make_endpoint(
        with_sms=False, approved=False, base_url=ours.fhir_base_url, backend_client_id=ours.client_id
    )
    approve(endpoint, smart=ours.smart)
    server.replace("/jwks", keys.public_keys(endpoint))
    rotation.start_rotation(endpoint.organization, environment="test", actor="kim", now=timezone.now())

    def tried():
        (trial,) = try_upcoming(endpoint.organization, environment="test", actor="kim", now=timezone.now())
        return trial.accepted, trial.refused, trial.problem

    assert tried() == ([], ["ES384", "RS384"], "")  # not published yet
    server.replace("/jwks", keys.public_keys(endpoint))
    assert tried() == (["ES384", "RS384"], [], "")
    assert rotation.advance_rotations(now=timezone.now()) == 1
