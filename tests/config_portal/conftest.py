from collections.abc import Iterator

import pytest

from epic import id_token
from tests.epic.peer import Peer


@pytest.fixture
def epic() -> Iterator[Peer]:
    """An Epic on a socket of this machine; :func:`tests.config_portal.approving.play_epic` tells it what to say."""
    id_token._key_sets._kept.clear()
    server = Peer()
    yield server
    server.close()
