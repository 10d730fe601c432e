import pytest

from ehrconnector.visit_player.twin import Twin
from tests.stack_fixture import RunningStack


@pytest.fixture
def twin(stack: RunningStack):
    """The sandbox as a script sees it, past the cable that tests may pull; without faults afterwards."""
    twin = Twin(stack.sandbox_behind)
    yield twin
    stack.twin.on()
    stack.redis.on()
    twin.set_faults({})


@pytest.fixture
def after(twin: Twin) -> int:
    """Where the ledger stood when the test began."""
    return twin.last()
