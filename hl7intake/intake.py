"""What the listener does with messages, in its event loop: judge them as they come, then store many at once.

Nothing else is done before the answer. What is rare (a message that is refused or known, a database that fails)
is done in a thread, by the code that HTTPS uses too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.db import Error as DatabaseFailure
from psycopg.errors import UniqueViolation

from hl7intake.models import InboundMessage
from hl7intake.services.judging import Acknowledgement, Arrival, Judge, Judged, acknowledge
from hl7intake.services.receiving import receive_all
from hl7intake.services.senders import Freshness, RulesBook
from hl7intake.services.storing import INSERT, INSERT_NEW, Delivery, columns_of, in_one_order, settle
from hl7intake.statements import LoopConnection

# Runs a function in a thread that may use Django's database connections.
Runner = Callable[[Callable[[], Any]], Awaitable[Any]]

# How long known messages are looked for before writing, once there was one.
_CAREFUL_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Parcel:
    """Frames of one sender that came together, in their order.

    :param judged: what was found of them; None until the sender's rules are read.
    """

    arrivals: list[Arrival]
    judged: list[Judged] | None

    @property
    def size(self) -> int:
        """Bytes."""
        return sum([len(arrival.raw) for arrival in self.arrivals])


class Intake:
    """Judges and stores messages.

    :param rules_seconds: how long the rules of a sender may be used again.
    """

    def __init__(self, run: Runner, *, rules_seconds: float) -> None:
        self._run = run
        self._rules = RulesBook(reuse_seconds=rules_seconds)
        self._renewals: dict[UUID, asyncio.Task[None]] = {}
        self._judge = Judge()
        self._database = LoopConnection()
        self._careful_until = float("-inf")

    def take(self, arrivals: list[Arrival]) -> Parcel:
        """Judge ``arrivals``, while the database is busy with others; later, if rules must be read first."""
        endpoint_id = arrivals[0].sender.endpoint_id
        freshness = self._rules.freshness_of(endpoint_id)
        if freshness is Freshness.TOO_OLD:
            return Parcel(arrivals, None)
        if freshness is Freshness.AGEING and endpoint_id not in self._renewals:
            self._renewals[endpoint_id] = asyncio.create_task(self._renew(endpoint_id))
        return Parcel(arrivals, self._judged(arrivals))

    async def store(self, parcels: Sequence[Parcel]) -> list[Acknowledgement]:
        """Commit everything in ``parcels`` and return an answer for each frame.

        What cannot be stored in one go is tried again, in the end one by one: only what fails itself is answered AE.
        """
        try:
            return await self._store(parcels)
        except (psycopg.Error, DatabaseFailure, InboundMessage.DoesNotExist) as error:
            logger.info("not stored in one go", extra={"error": type(error).__name__})
        # Whether or not the commit arrived, another try is safe: messages are known by their ids.
        arrivals = [arrival for parcel in parcels for arrival in parcel.arrivals]
        answers: list[Acknowledgement] = await self._run(lambda: receive_all(arrivals, rules=self._rules))
        return answers

    async def close(self) -> None:
        """Finish what was begun and close the database connection."""
        await asyncio.gather(*self._renewals.values())
        await self._database.close()

    async def _renew(self, endpoint_id: UUID) -> None:
        """Read the rules of an endpoint again while its senders go on with those that are known."""
        try:
            await self._run(lambda: self._rules.refresh([endpoint_id]))
        except DatabaseFailure as error:
            # Once they are too old, whoever needs them reads them, or is answered AE.
            logger.info("rules not read anew", extra={"error": type(error).__name__})
        finally:
            del self._renewals[endpoint_id]

    async def _store(self, parcels: Sequence[Parcel]) -> list[Acknowledgement]:
        unknown = [parcel for parcel in parcels if parcel.judged is None]
        if unknown:
            endpoints = {parcel.arrivals[0].sender.endpoint_id for parcel in unknown}
            await self._run(lambda: self._rules.refresh(endpoints))
        judged = [one for parcel in parcels for one in parcel.judged or self._judged(parcel.arrivals)]
        await self._write([delivery for one in judged for delivery in one.deliveries])
        return [acknowledge(one) for one in judged]

    async def _write(self, deliveries: list[Delivery]) -> None:
        accepted = in_one_order(deliveries)
        number = await self._insert(columns_of(accepted)) if accepted else 0
        if number == len(deliveries):
            settle(deliveries, is_all_new=True)
        else:
            await self._run(lambda: settle(deliveries, is_all_new=number == len(accepted)))

    async def _insert(self, columns: list[list[object]]) -> int:
        """Write what is not known yet and return how many rows that were."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._careful_until:
            try:
                return await self._database.execute(INSERT_NEW, columns)
            except UniqueViolation:
                # Whoever repeats himself does so more than once: after a lost connection, or all the time.
                self._careful_until = loop.time() + _CAREFUL_SECONDS
        return await self._database.execute(INSERT, columns)

    def _judged(self, arrivals: Sequence[Arrival]) -> list[Judged]:
        rules = self._rules.last_known(arrivals[0].sender.endpoint_id)
        return [self._judge.judge(arrival, rules=rules) for arrival in arrivals]
