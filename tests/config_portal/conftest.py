from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Role
from config_portal.models import FhirEndpoint
from epic import id_token
from tests.config_portal.approving import Desk, fresh, make_approver, make_unapproved, play_epic
from tests.entra import play_entra
from tests.epic.peer import Peer
from tests.factories import make_staff


@pytest.fixture
def epic(settings: Any) -> Iterator[Peer]:
    """An Epic on a socket of this machine; :func:`tests.config_portal.approving.play_epic` tells it what to say.

    It plays the hospital's Entra, too, which confirms approvers.
    """
    id_token._key_sets._kept.clear()
    server = Peer()
    play_entra(server, settings)
    yield server
    server.close()


@pytest.fixture
def endpoint(epic: Peer) -> FhirEndpoint:
    """A connection that Dana is to approve."""
    play_epic(epic)
    return make_unapproved(epic)


@pytest.fixture
def dana(epic: Peer, endpoint: FhirEndpoint) -> Desk:
    """Dana, the approver, at her desk."""
    return Desk(epic, endpoint, make_approver(endpoint))


@pytest.fixture
def avery(epic: Peer, endpoint: FhirEndpoint) -> Desk:
    """Avery, the administrator, who does not approve."""
    return Desk(epic, endpoint, make_staff(endpoint.organization, Role.ADMIN))


@pytest.fixture
def approved(dana: Desk) -> FhirEndpoint:
    """The endpoint, once Dana has approved it."""
    assert dana.go_through().status_code == 302
    return fresh(dana.endpoint)
