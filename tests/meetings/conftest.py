import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from core.http import build_session, close_shared
from meetings.providers.teams import throttle, token, validation
from meetings.providers.teams.connection import ClientCertificate, TeamsConnection
from meetings.providers.teams.provider import TeamsProvider
from tests.meetings.graph import Entra
from tests.meetings.peer import Peer

GRAPH = "https://graph.example.org"
ENTRA = "https://entra.example.org"
STS = "https://sts.example.org"
TENANT, CLIENT, ORGANIZER = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
TOKEN_URL = f"{ENTRA}/{TENANT}/oauth2/v2.0/token"
MADE = {"id": "MSo1=", "joinWebUrl": "https://teams.example.org/l/meetup-join/19%3ameeting/0"}


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


@pytest.fixture
def tokens(http: responses.RequestsMock) -> responses.BaseResponse:
    """The answer of Entra to whoever asks for a token."""
    return http.post(TOKEN_URL, json={"access_token": "t0k3n", "expires_in": 3599})


@pytest.fixture
def teams(tokens: responses.BaseResponse) -> TeamsProvider:
    """Teams as the adapter sees it, with every answer given by ``http``."""
    connection = TeamsConnection(
        entra_base_url=ENTRA, graph_base_url=GRAPH, tenant_id=TENANT, client_id=CLIENT, client_secret="s3cret"
    )
    return TeamsProvider(connection, build_session())


@pytest.fixture
def certificate() -> ClientCertificate:
    """A certificate of our application."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "connector")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    return ClientCertificate(certificate=pem, private_key=private)


def graph_error(code: str, message: str = "") -> dict[str, object]:
    """An error as Graph writes it."""
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}


@pytest.fixture
def sent(monkeypatch):
    """Every task that was sent to the queue, as (name, arguments)."""
    tasks_sent = []
    monkeypatch.setattr("core.jobs.enqueue", lambda task, *args: tasks_sent.append((task.name, args)))
    return tasks_sent
