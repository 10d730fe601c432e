"""Refuse whoever guesses join links: 20 wrong ones in a minute from one address, then no more.

When Redis is away nobody can count, and links are refused rather than left to be guessed at will.
"""

import logging

import redis

from core.errors import UpstreamUnavailable
from launch.services import counting

MOST_IN_A_MINUTE = 20
MANY_IN_A_MINUTE = 300  # from everywhere together: somebody is guessing from many addresses
_MISSES = "join:misses"
_EVERYWHERE = "everywhere"

logger = logging.getLogger(__name__)


def is_blocked(network: str) -> bool:
    """Return whether ``network`` has gone beyond its misses.

    :raises UpstreamUnavailable: ``join.not_counted`` while Redis is away.
    """
    try:
        return counting.counted(f"{_MISSES} {network}") > MOST_IN_A_MINUTE
    except redis.RedisError as error:
        raise _not_counted(error) from error


def count_miss(network: str) -> int:
    """Count one wrong link from ``network`` and return how many there were in this minute.

    :raises UpstreamUnavailable: ``join.not_counted`` while Redis is away.
    """
    try:
        here, everywhere = counting.count(f"{_MISSES} {network}", f"{_MISSES} {_EVERYWHERE}")
    except redis.RedisError as error:
        raise _not_counted(error) from error
    if everywhere == MANY_IN_A_MINUTE:
        logger.error("join links are being guessed", extra={"count": everywhere})
    return here


def _not_counted(error: Exception) -> UpstreamUnavailable:
    return UpstreamUnavailable("join.not_counted", detail=type(error).__name__)
