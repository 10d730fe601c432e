"""Tell watching pages that a visit has changed: a hint over Redis, never the news itself.

Pages read the state from the database; without Redis they still poll.
"""

import functools
import logging
import uuid

import redis
from django.conf import settings
from django.db import transaction

CHANGED = "changed"
_SECONDS = 0.5

logger = logging.getLogger(__name__)


def channel_of(visit_id: uuid.UUID | str) -> str:
    """Return the Redis channel of a visit; of ``*`` the pattern of all."""
    return f"visit:{visit_id}"


def announce(visit_id: uuid.UUID) -> None:
    """Publish ``changed`` on the channel of a visit once the surrounding transaction has committed."""
    transaction.on_commit(functools.wraps(_publish)(functools.partial(_publish, visit_id)))


@functools.lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)


def _publish(visit_id: uuid.UUID) -> None:
    try:
        _client(settings.REDIS_URL).publish(channel_of(visit_id), CHANGED)
    except redis.RedisError as error:
        logger.warning("pages not told", extra={"visit": str(visit_id), "error": type(error).__name__})
