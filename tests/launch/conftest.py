import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from config_portal.models import FhirEndpoint
from core.http import close_shared
from epic import id_token
from launch.models import LaunchAttempt
from meetings.providers.teams import throttle, token
from tests.epic.peer import Peer
from tests.factories import approve, make_contact, make_endpoint, make_visit
from tests.launch.epic import Launch, smart_of
from tests.meetings.peer import Peer as Graph
from visits.models import JoinLink, Visit
from visits.services.links import ensure_link, token_of


@pytest.fixture(autouse=True)
def _forget_what_was_fetched() -> None:
    token.forget_all()
    throttle.forget_all()
    id_token._key_sets._kept.clear()


@pytest.fixture(autouse=True)
def _begin_and_end_in_english() -> Iterator[None]:
    """Undo the language of the last request, which stays with the thread until the next one."""
    translation.activate("en")
    yield
    translation.deactivate()


@pytest.fixture
def epic() -> Iterator[Peer]:
    server = Peer()
    yield server
    server.close()


@pytest.fixture
def graph(settings: Settings) -> Iterator[Graph]:
    """Graph and Entra on a socket of this machine."""
    server = Graph()
    settings.GRAPH_BASE_URL, settings.ENTRA_BASE_URL = f"{server.url}/graph", f"{server.url}/entra"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
    close_shared()


@pytest.fixture
def endpoint(db: None, epic: Peer) -> FhirEndpoint:
    """An approved test endpoint whose OAuth server is ``epic``."""
    endpoint = make_endpoint(approved=False, frame_ancestors=["https://hyperspace.lamna.example.org"])
    approve(endpoint, smart=smart_of(epic))
    return endpoint


@pytest.fixture
def launch(epic: Peer, endpoint: FhirEndpoint) -> Callable[..., Launch]:
    """Return a launch in a browser of its own: ``launch("patient")``."""

    def make(audience: str = "provider", **values: object) -> Launch:
        return Launch(epic, endpoint, audience, **values)  # type: ignore[arg-type]  # what the test gives

    return make


@pytest.fixture
def visit(endpoint: FhirEndpoint) -> Visit:
    """A visit that begins in ten minutes: its window is open."""
    return make_visit(endpoint, starts_at=timezone.now().replace(microsecond=0) + timedelta(minutes=10))


@pytest.fixture
def link(visit: Visit) -> JoinLink:
    return ensure_link(make_contact(visit))


@pytest.fixture
def address(link: JoinLink) -> str:
    return f"/j/{token_of(link)}"


@pytest.fixture
def patient(client: Client, address: str) -> Client:
    """A browser whose person has checked in from the text."""
    assert client.post(address, secure=True).url == "/visit/check"
    return client


@pytest.fixture
def attempt(patient: Client) -> LaunchAttempt:
    """The attempt of ``patient``."""
    return LaunchAttempt.objects.get(audience=LaunchAttempt.Audience.TEXT)
