"""What has to work before this installation may take traffic."""

import logging

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from core import heartbeat

logger = logging.getLogger(__name__)


def readiness() -> dict[str, bool]:
    """Return each part's name and whether it works: database, Redis, worker, beat, MLLP listener."""
    database = _database()
    parts = {"database": database, "redis": _redis()}
    for name in (heartbeat.WORKER, heartbeat.BEAT, heartbeat.MLLP):
        parts[name] = database and heartbeat.is_alive(name, now=timezone.now())
    return parts


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return _failed("database", error)
    return True


def _redis() -> bool:
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2).ping()
    except redis.RedisError as error:
        return _failed("redis", error)
    return True


def _failed(name: str, error: Exception) -> bool:
    logger.warning("not ready", extra={"peer": name, "error": type(error).__name__})
    return False
