"""Run checks at the same time and tell how each went as soon as it is known."""

import logging
import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connections

from config_portal.doctor import CheckContext, CheckResult, Fixer, SetupCheck, failed
from config_portal.services.explaining import explain
from core.context import request_id, set_request_id
from core.errors import ConnectorError

# Every check waits for another system most of the time.
AT_ONCE = 16

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class News:
    """A check began (``result`` is None) or ended."""

    check: SetupCheck
    result: CheckResult | None = None
    milliseconds: int = 0


def run_checks(context: CheckContext, checks: Sequence[SetupCheck]) -> Iterator[News]:
    """Run ``checks``, each in a thread of its own, and yield two pieces of news for each: it began, it ended."""
    news: queue.SimpleQueue[News] = queue.SimpleQueue()
    follows = request_id()
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="check") as pool:
        for check in checks:
            pool.submit(_run, check, context, news, follows)
        for _ in range(2 * len(checks)):
            yield news.get()


def run_check(check: SetupCheck, context: CheckContext) -> CheckResult:
    """Run one check in this thread; whatever goes wrong becomes a failed line."""
    try:
        return check.run(context)
    except ConnectorError as error:
        return explain(error)
    except Exception as error:
        logger.exception("a check broke", extra={"check": check.name, "error": type(error).__name__})
        return failed(
            "The check itself broke off.",
            who=Fixer.OPERATOR,
            todo="Look into the connector's log at this time and report it.",
            code="preflight.broken",
        )


def _run(check: SetupCheck, context: CheckContext, news: "queue.SimpleQueue[News]", follows: str) -> None:
    set_request_id(follows)
    started = time.monotonic()
    news.put(News(check=check))
    try:
        result = run_check(check, context)
    finally:
        connections.close_all()  # this thread's own
    news.put(News(check=check, result=result, milliseconds=round((time.monotonic() - started) * 1000)))
