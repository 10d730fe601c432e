"""What the tests of the twin share."""

from collections.abc import Iterator

import pytest
import requests

from tests.contract.epic_twin import set_up
from tests.epic.peer import Peer
from tests.sandbox.engine import Engine
from tests.sandbox.epic_client import EpicClient
from tests.sandbox.listener import Listener
from tests.sandbox.subscriber import Subscriber
from tests.sandbox.twin import Twin


@pytest.fixture
def listener() -> Iterator[Listener]:
    """The customer's webhooks."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def twin(sandbox, listener: Listener) -> Iterator[Twin]:
    """The running sandbox, set up for a customer who is reached at ``listener``; without faults."""
    twin = Twin(sandbox.url, webhook=listener.url)
    yield twin
    twin.close()


@pytest.fixture(scope="session")
def subscriber() -> Subscriber:
    """A subscriber's key pair."""
    return Subscriber()


@pytest.fixture
def client_keys() -> Iterator[Peer]:
    """Where the twin's Epic fetches our public keys."""
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def epic(sandbox, twin: Twin, client_keys: Peer) -> EpicClient:
    """Our apps at the twin's Epic; ``twin`` switches faults."""
    return EpicClient(set_up(sandbox.url, client_keys))


@pytest.fixture
def engine(sandbox) -> Iterator[Engine]:
    """The listener that the twin's Epic sends to."""
    engine = Engine(sandbox.tls, earlier=_sent_so_far(sandbox.url))

    def type_in(target: dict[str, object]) -> None:
        requests.put(f"{sandbox.url}/control/setup", json={"hl7": target}, timeout=10).raise_for_status()

    type_in({"host": "127.0.0.1", "port": engine.port})
    yield engine
    type_in({})
    engine.close()


def _sent_so_far(url: str) -> frozenset[str]:
    """Return the control ids of what Epic sent in other tests; what nobody answered comes again."""
    sent, after = set[str](), 0
    while True:  # an answer holds a limited number of entries
        query = {"system": "hl7", "kind": "sent", "after": after}
        entries = requests.get(f"{url}/ledger.json", params=query, timeout=10).json()["entries"]
        if not entries:
            return frozenset(sent)
        sent |= {entry["data"]["control_id"] for entry in entries}
        after = entries[-1]["id"]
