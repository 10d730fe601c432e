"""Deliver to one Epic: one courier at a time, many calls at once, each person's news in order.

The courier alone talks to the database; threads only make calls. A row is claimed when a call for it can begin, so
that a claim never lasts longer than one call, and what a courier that dies leaves behind is soon free again.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from uuid import UUID

import requests
from django.db import transaction

from config_portal.models import FhirEndpoint
from config_portal.services.connections import approved_configuration, epic_connection
from core import outbox
from core.context import set_request_id
from core.crypto import DecryptionError
from core.errors import ConfigurationError, ConnectorError, UpstreamRejected
from core.http import build_session
from core.locks import only_one
from epic.connection import Audience
from writeback.models import WritebackEvent
from writeback.models.event import WritebackQuerySet
from writeback.services import circuits
from writeback.services.choices import approved_choices, authorization_of
from writeback.services.messages import Call, NotSendable, Way, call_for
from writeback.services.pace import Pace
from writeback.services.recording import GIVE_UP_AFTER, Result, hold, record

# A call takes at most 15 s and one more with a new token, and so does fetching each token.
LEASE = timedelta(seconds=90)
# How soon new rows are seen while calls are open and others could begin.
LOOKS_EVERY = 0.1
LOOKS_AHEAD = 256
LONGEST_RUN = timedelta(seconds=120)
CONFIGURATION_RETRY = timedelta(seconds=30)

Clock = Callable[[], datetime]

logger = logging.getLogger(__name__)


def deliver(endpoint: FhirEndpoint, *, clock: Clock, on_turn: Callable[[], None] = lambda: None) -> int | None:
    """Tell the Epic of ``endpoint`` everything that is due; return how many calls were made.

    Returns None at once when another courier is at it. Ends after two minutes in any case.

    :param on_turn: called on every turn of the work, to say that it goes on.
    """
    with only_one(endpoint.pk) as is_mine:
        if not is_mine:
            return None
        if not has_due(endpoint, now=clock()):
            return 0
        try:
            way = _way_to(endpoint)
        except ConfigurationError as error:
            _hold_back(endpoint, error, now=clock())
            return 0
        return _Courier(endpoint, way, clock=clock).run(on_turn)


def has_due(endpoint: FhirEndpoint, *, now: datetime) -> bool:
    """Return whether something could be sent to ``endpoint`` at ``now``."""
    circuit = circuits.circuit_of(endpoint)
    return circuit.lets_through(now=now) and _claimable(endpoint, now).exists()


def _claimable(endpoint: FhirEndpoint, now: datetime) -> WritebackQuerySet:
    return WritebackEvent.objects.claimable(now).filter(endpoint=endpoint)


def _way_to(endpoint: FhirEndpoint) -> Way:
    choices = approved_choices(approved_configuration(endpoint))
    return Way(
        connection=epic_connection(endpoint, Audience.BACKEND),
        authorization=authorization_of(endpoint, choices),
        choices=choices,
    )


def _hold_back(endpoint: FhirEndpoint, error: ConfigurationError, *, now: datetime) -> None:
    """Let everything wait, visibly, until the configuration is mended; what is too old stops."""
    due = WritebackEvent.objects.filter(endpoint=endpoint).due_before(now)
    stale = due.filter(occurred_at__lt=now - GIVE_UP_AFTER)
    stale.update(state=WritebackEvent.State.FAILED, error_code=error.code, finished_at=now)
    due.update(error_code=error.code, due_at=now + CONFIGURATION_RETRY)


class _Courier:
    """One run of the work for one endpoint."""

    def __init__(self, endpoint: FhirEndpoint, way: Way, *, clock: Clock) -> None:
        self._endpoint = endpoint
        self._way = way
        self._clock = clock
        self._circuit = circuits.circuit_of(endpoint)
        self._pace = Pace(way.choices.most_a_second)
        self._open: dict[Future[Result], WritebackEvent] = {}
        self._line: deque[UUID] = deque()
        self._made = 0

    def run(self, on_turn: Callable[[], None]) -> int:
        most = self._way.choices.most_at_once
        stops_at = self._clock() + LONGEST_RUN
        with build_session(connections=most) as session, ThreadPoolExecutor(most) as pool:
            while True:
                on_turn()
                is_over = self._clock() >= stops_at
                began = 0 if is_over else self._begin(session, pool)
                if not self._open and not began and (is_over or self._rest() is None):
                    return self._made
                ended = self._wait()
                if ended and not is_over and all(call.result().error is None for call in ended):
                    self._begin(session, pool)  # before the books are kept: Epic should not wait for us
                self._record(ended)

    def _begin(self, session: requests.Session, pool: ThreadPoolExecutor) -> int:
        """Claim rows for which calls may begin now, and begin them; return how many were claimed."""
        now = self._clock()
        free = self._pace.allowed(self._room(now))
        if not free or not self._look(now):
            return 0
        upcoming = [self._line.popleft() for _ in range(min(free, len(self._line)))]
        due = _claimable(self._endpoint, now).filter(pk__in=upcoming).select_related("participant", "visit")
        rows = outbox.claim(due, now=now, limit=free, lease=LEASE)
        self._pace.take(len(rows))
        for row in rows:
            call = self._prepare(row, now=now)
            if call is not None:
                self._open[pool.submit(_make, call, self._way, session, now, row.request_id)] = row
                self._made += 1
        return len(rows)

    def _look(self, now: datetime) -> bool:
        """See to it that the line holds what is due; it is looked up for many calls at once, since that is costly.

        Nothing in the line is claimed: each row is looked at again when its call can begin.
        """
        if not self._line:
            due = _claimable(self._endpoint, now).order_by("due_at", "sequence")
            self._line.extend(due.values_list("pk", flat=True)[:LOOKS_AHEAD])
        return bool(self._line)

    def _room(self, now: datetime) -> int:
        """Return how many more calls may be open: one, to try, while the circuit is open."""
        if not self._circuit.lets_through(now=now):
            return 0
        most = 1 if self._circuit.is_open else self._way.choices.most_at_once
        return max(most - sum(not future.done() for future in self._open), 0)

    def _prepare(self, row: WritebackEvent, *, now: datetime) -> Call | None:
        try:
            return call_for(row, self._way.choices)
        except NotSendable as reason:
            hold(row, code=reason.code, now=now)
        except DecryptionError as problem:
            logger.error("write-back unreadable", extra={"error": type(problem).__name__})  # noqa: TRY400
            refused = UpstreamRejected("writeback.unreadable")
            record(row, Result(error=refused, milliseconds=0, means="", is_repeatable=True), now=now)
        except ConfigurationError as error:
            record(row, Result(error=error, milliseconds=0, means="", is_repeatable=True), now=now)
        return None

    def _rest(self) -> float | None:
        """Return how many seconds to wait before another call may begin; None when there is nothing to wait for."""
        seconds = self._pace.seconds_to_next()
        if seconds <= 0 or not self._circuit.lets_through(now=self._clock()):
            return None
        return seconds if _claimable(self._endpoint, self._clock()).exists() else None

    def _wait(self) -> set[Future[Result]]:
        """Wait until calls have ended, or others may begin; return the calls that have ended."""
        if not self._open:
            _PAUSE.wait(self._pace.seconds_to_next())
            return set()
        return wait(self._open, timeout=LOOKS_EVERY, return_when=FIRST_COMPLETED).done

    def _record(self, ended: set[Future[Result]]) -> None:
        """Record what became of calls."""
        if not ended:
            return
        now = self._clock()
        with transaction.atomic():
            results = [(self._open.pop(future), future.result()) for future in ended]
            for row, result in results:
                record(row, result, now=now)
            circuits.note(self._circuit, [result.error for _, result in results], now=now)


_PAUSE = threading.Event()


def _make(call: Call, way: Way, session: requests.Session, now: datetime, request_id: str) -> Result:
    """Make one call; runs in a thread of its own and touches no database."""
    set_request_id(request_id)
    started = time.monotonic()
    error: ConnectorError | None = None
    status = 0
    try:
        status = call.make(session, way, now=now)
    except ConnectorError as problem:
        error = problem
    except Exception as problem:  # the edge of the thread: one bad row must not stop all others
        logger.exception("write-back could not be made")
        error = UpstreamRejected("writeback.defect", detail=type(problem).__name__)
    milliseconds = round((time.monotonic() - started) * 1000)
    return Result(
        status=status, error=error, milliseconds=milliseconds, means=call.means, is_repeatable=call.is_repeatable
    )
