import threading
from collections.abc import Iterator

import pytest
import responses
from pytest_django import Settings

from core.http import close_shared
from meetings.providers.teams import throttle, token, validation
from tests.meetings.graph import Entra
from tests.meetings.peer import Peer

GRAPH = "https://graph.example.org"
ENTRA = "https://entra.example.org"
STS = "https://sts.example.org"


@pytest.fixture(autouse=True)
def _forget_what_was_fetched() -> None:
    token.forget_all()
    throttle.forget_all()
    validation.forget_keys()


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    """Answers instead of Microsoft, for what no sandbox can be made to say."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def microsoft(settings: Settings) -> None:
    """Point the adapters at addresses that ``http`` answers for."""
    settings.GRAPH_BASE_URL, settings.ENTRA_BASE_URL, settings.ENTRA_STS_ISSUER = GRAPH, ENTRA, STS


@pytest.fixture
def entra(http: responses.RequestsMock, microsoft: None) -> Entra:
    """An Entra whose keys are published."""
    published = Entra(ENTRA)
    published.publish(http)
    return published


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    """Graph and Entra on a socket of this machine."""
    server = Peer()
    settings.GRAPH_BASE_URL, settings.ENTRA_BASE_URL = f"{server.url}/graph", f"{server.url}/entra"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
    close_shared()
