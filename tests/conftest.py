"""What every test shares. The servers start in ``ehrconnector.settings_test``; here they stop."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
import redis
from django.conf import settings

from core import scope
from ehrconnector.stack.throwaway import WORKER, stop_servers

pytest_plugins = ["tests.stack_fixture", "tests.plain_role"]

# Tests make and look at rows of every organization; a request gets its own scope, as in production.
scope.use_for_process(scope.of_platform("tests"))

# How fast a busy machine invents examples says nothing about the code.
hypothesis.settings.register_profile("busy", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None)
hypothesis.settings.load_profile("busy")


def pytest_unconfigure(config: pytest.Config) -> None:
    if WORKER not in os.environ:
        stop_servers()


@pytest.fixture(scope="session")
def redis_client() -> Iterator[redis.Redis]:
    """A client of this worker's own Redis database."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _empty_redis(redis_client: redis.Redis) -> None:
    """Start every test with an empty cache, broker and set of locks."""
    redis_client.flushdb()


@pytest.fixture(scope="session", autouse=True)
def _quick_keys() -> Iterator[None]:
    """Make shorter RSA keys: as real as long ones, in a fifth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("config_portal.services.keys.RSA_BITS", 2048)
        yield
