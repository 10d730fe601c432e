"""An Epic of the tests' own, and a connection to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from core.http import build_session
from epic.connection import Audience, EpicConnection, SmartEndpoints
from tests.epic.keys import client_key
from tests.epic.peer import Peer

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    yield server
    server.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with build_session() as built:
        yield built


@pytest.fixture
def connection(peer: Peer) -> EpicConnection:
    return EpicConnection(
        fhir_base_url=f"{peer.url}/interconnect/api/FHIR/R4",
        audience=Audience.PROVIDER,
        client_id="provider-app",
        key=client_key("rs-client", "RS384"),
        smart=SmartEndpoints(
            issuer=f"{peer.url}/interconnect/oauth2",
            authorization_endpoint=f"{peer.url}/interconnect/oauth2/authorize",
            token_endpoint=f"{peer.url}/interconnect/oauth2/token",
            jwks_uri=f"{peer.url}/interconnect/oauth2/jwks",
        ),
    )


@pytest.fixture
def mute_port() -> Iterator[Callable[[EpicConnection], EpicConnection]]:
    """Move a connection's token endpoint to a port that takes a request and hangs up without an answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        try:
            caller, _ = listener.accept()
        except OSError:  # closed before anybody called
            return
        with caller:
            caller.recv(65_536)

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()

    def move(connection: EpicConnection) -> EpicConnection:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        return replace(connection, smart=replace(connection.smart, token_endpoint=endpoint))

    yield move
    listener.close()
    thread.join(timeout=2)
