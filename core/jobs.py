"""Background work: rows are the truth, Celery only wakes it up.

A service writes rows; whoever called it enqueues. When the broker is away nothing is lost: every
kind of row has a sweeper in the beat schedule that picks up what is due.
"""

import functools
import logging
from typing import Any

import redis
from celery import Task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

QUEUES: tuple[str, ...] = ("default", "sms", "meetings", "writeback")

# How long a task may go without a sign of life before somebody else is woken in its place.
AWAKE_SECONDS = 30

logger = logging.getLogger(__name__)


def enqueue(task: "Task[Any, Any]", *args: str, countdown: float = 0.0) -> bool:
    """Send ``task`` to its queue now; return False when the broker is away (a sweeper will do it).

    :param countdown: seconds a worker waits before it runs; below a minute, because Redis forgets.
    """
    try:
        task.apply_async(args=args, retry=False, countdown=countdown)
    except OperationalError as error:
        logger.warning("broker away, left to the sweeper", extra={"task": task.name, "error": type(error).__name__})
        return False
    return True


def enqueue_after_commit(task: "Task[Any, Any]", *args: str) -> None:
    """Send ``task`` once the surrounding transaction has committed; ids only as arguments.

    Not Celery's ``delay_on_commit``: that raises after the commit when the broker is down.
    """
    call = functools.wraps(enqueue)(functools.partial(enqueue, task, *args))
    transaction.on_commit(call)


def wake_after_commit(task: "Task[Any, Any]", *args: str) -> None:
    """Send ``task`` for ``args`` after the commit, unless one is already on its way or at work.

    For a task that works through everything due, however many rows come in meanwhile. It calls :func:`go_to_sleep`
    *before* it looks for the last time, so that whoever commits later wakes it again; if it works for longer than
    ``AWAKE_SECONDS`` before that, it calls :func:`stay_awake` while it works.
    """
    call = functools.wraps(_wake)(functools.partial(_wake, task, *args))
    transaction.on_commit(call)


def stay_awake(task: "Task[Any, Any]", *args: str) -> None:
    """Keep others from being woken for ``args`` for another half minute."""
    try:
        cache.set(_flag(task, *args), 1, AWAKE_SECONDS)
    except redis.RedisError as error:
        logger.warning("broker away", extra={"task": task.name, "error": type(error).__name__})


def go_to_sleep(task: "Task[Any, Any]", *args: str) -> None:
    """Let the next commit wake ``task`` again."""
    try:
        cache.delete(_flag(task, *args))
    except redis.RedisError as error:
        logger.warning("broker away", extra={"task": task.name, "error": type(error).__name__})


def _wake(task: "Task[Any, Any]", *args: str) -> bool:
    try:
        is_asleep = cache.add(_flag(task, *args), 1, AWAKE_SECONDS)
    except redis.RedisError as error:
        logger.warning("broker away, left to the sweeper", extra={"task": task.name, "error": type(error).__name__})
        return False
    return enqueue(task, *args) if is_asleep else False


def _flag(task: "Task[Any, Any]", *args: str) -> str:
    return ":".join(("awake", task.name, *args))
