"""Our Epic adapters against the twin's Epic, over the wire."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone

from core.errors import ConfigurationError, UpstreamRejected
from core.http import build_session
from epic.assertion import assertion_fields
from epic.authorization import BackendAuthorization
from epic.backend import BackendTokens
from epic.connection import Audience
from epic.context import read_context
from epic.discovery import discover
from epic.id_token import IdentityKind, KeySets, verify_id_token
from epic.oauth import AuthorizationRequest, ehr_launch_request, exchange_code
from epic.telehealth import ConnectionChange, ConnectionStatusSettings, set_external_connection_status
from tests.contract.epic_twin import REDIRECT, EpicTwin, set_up
from tests.epic.peer import Peer

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def keys() -> Iterator[Peer]:
    """Our public keys, where the twin fetches them."""
    server = Peer()
    yield server
    server.close()


@pytest.fixture
def twin(sandbox, keys: Peer) -> EpicTwin:
    return set_up(sandbox.url, keys)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with build_session() as built:
        yield built


def authorize(request: AuthorizationRequest, *, method: str = "POST") -> dict[str, str]:
    """Do what a browser does with an authorization request, and return the query it brings back."""
    fields = {"data": request.fields} if method == "POST" else {"params": request.fields}
    answer = requests.request(method, request.url, allow_redirects=False, timeout=10, **fields)
    assert answer.status_code in {302, 303}, answer.text
    assert answer.headers["Location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def launch(twin: EpicTwin, audience: Audience, csn: str) -> AuthorizationRequest:
    opened = twin.launch(csn, audience)
    assert opened["iss"] == twin.fhir_base_url
    return ehr_launch_request(twin.connection(audience), launch=opened["launch"], redirect_uri=REDIRECT)


def exchange(session, twin: EpicTwin, audience: Audience, request: AuthorizationRequest, code: str):
    return exchange_code(
        session,
        twin.connection(audience),
        code=code,
        redirect_uri=REDIRECT,
        code_verifier=request.code_verifier,
        now=timezone.now(),
    )


def test_discovery_finds_the_addresses_and_versions(session, twin):
    found = discover(session, twin.fhir_base_url, client_id=twin.clients["provider"])
    assert found.smart == twin.connection(Audience.PROVIDER).smart
    assert found.source == "smart-configuration"
    assert found.server.fhir_version == "4.0.1"
    assert found.server.software.startswith("Epic")


@pytest.mark.parametrize(
    ("audience", "kind"), [(Audience.PROVIDER, IdentityKind.PRACTITIONER), (Audience.PATIENT, IdentityKind.PATIENT)]
)
def test_a_launch_leads_to_the_visit_and_to_who_opened_it(session, twin, audience, kind):
    visit = twin.schedule()
    request = launch(twin, audience, visit["csn"])
    returned = authorize(request)
    assert returned["state"] == request.state

    token = exchange(session, twin, audience, request, returned["code"])
    context = read_context(token.context)
    assert (context.session_id, context.conference_id) == (visit["csn"], visit["conference_id"])
    identity = verify_id_token(
        session,
        twin.connection(audience),
        token.id_token,
        nonce=request.nonce,
        now=timezone.now(),
        key_sets=KeySets(),
    )
    assert identity.kind is kind


def test_a_launch_token_works_once(twin):
    visit = twin.schedule()
    request = launch(twin, Audience.PROVIDER, visit["csn"])
    authorize(request)
    again = requests.post(request.url, data=request.fields, allow_redirects=False, timeout=10)
    assert "code=" not in again.headers.get("Location", "")


def test_a_code_works_once_and_only_with_its_verifier(session, twin):
    visit = twin.schedule()
    request = launch(twin, Audience.PROVIDER, visit["csn"])
    code = authorize(request)["code"]
    exchange(session, twin, Audience.PROVIDER, request, code)
    with pytest.raises(UpstreamRejected) as caught:
        exchange(session, twin, Audience.PROVIDER, request, code)
    assert caught.value.code == "epic.invalid_grant"

    other = launch(twin, Audience.PROVIDER, visit["csn"])
    with pytest.raises(UpstreamRejected) as caught:
        exchange(session, twin, Audience.PROVIDER, request, authorize(other)["code"])
    assert caught.value.code == "epic.invalid_grant"


@pytest.mark.parametrize(("key", "algorithm"), [("rs-contract", "RS384"), ("es-contract", "ES384")])
def test_both_algorithms_of_smart_get_a_backend_token(session, twin, key, algorithm):
    connection = twin.connection(Audience.BACKEND, key=key, algorithm=algorithm)
    assert BackendTokens().get(session, connection, now=timezone.now())


def test_a_replayed_assertion_is_refused(session, twin):
    connection = twin.connection(Audience.BACKEND)
    proof = assertion_fields(
        connection.key, client_id=connection.client_id, audience=connection.smart.token_endpoint, now=timezone.now()
    )
    form = {"grant_type": "client_credentials", **proof}
    assert requests.post(connection.smart.token_endpoint, data=form, timeout=10).ok
    again = requests.post(connection.smart.token_endpoint, data=form, timeout=10)
    assert again.json()["error"] == "invalid_client"


def test_a_key_that_is_not_published_is_refused(session, twin):
    with pytest.raises(ConfigurationError) as caught:
        BackendTokens().get(session, twin.connection(Audience.BACKEND, key="rs-stranger"), now=timezone.now())
    assert caught.value.code == "epic.invalid_client"


@pytest.mark.parametrize(("is_connected", "status"), [(True, "1"), (False, "2")])
def test_epic_takes_note_of_who_connected(session, twin, is_connected, status):
    visit = twin.schedule()
    connection = twin.connection(Audience.BACKEND)
    accepted = set_external_connection_status(
        session,
        connection,
        ConnectionChange(
            conference_id=visit["conference_id"], external_id="AOKAFOR", role="provider", is_connected=is_connected
        ),
        settings=ConnectionStatusSettings(),
        authorization=BackendAuthorization(connection=connection),
        now=timezone.now(),
    )
    assert accepted == 200
    (entry,) = twin.ledger(system="epic", kind="connection_status", key=visit["conference_id"])
    assert entry["data"]["external_id"] == "AOKAFOR"
    assert str(entry["data"]["status"]) == status
