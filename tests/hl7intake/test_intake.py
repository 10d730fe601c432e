"""The listener's own way to the table: the rules of a sender are read anew without anybody waiting for it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import psycopg
import pytest
from django.db import DatabaseError, connection

from config_portal.models import FhirEndpoint
from hl7intake.errors import AckCode
from hl7intake.intake import Intake, Parcel
from hl7intake.models import InboundMessage
from hl7intake.services import senders
from hl7intake.services.judging import Acknowledgement, Arrival
from hl7intake.statements import LoopConnection
from hl7intake.threads import DatabaseThreads
from tests.factories import make_endpoint
from tests.hl7intake.conftest import sender_of
from tests.hl7intake.messages import MOVED, NEW, change, load
from tests.hl7intake.mllp import numbered

pytestmark = pytest.mark.django_db(transaction=True)
RULES_SECONDS = 10.0


class Clock:
    """The clock that the age of rules is told by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr(senders, "time", SimpleNamespace(monotonic=lambda: self.seconds))


class Scene:
    """An intake; ``errands`` gets an entry for each work in a thread that is over, and work can be made to fail."""

    def __init__(self, endpoint: FhirEndpoint) -> None:
        self.sender = sender_of(endpoint)
        self.threads = DatabaseThreads(1)
        self.intake = Intake(self._run, rules_seconds=RULES_SECONDS)
        self.is_broken = False
        self.errands: asyncio.Queue[str] = asyncio.Queue()
        self._numbers = iter(range(1_000))

    def message(self) -> bytes:
        return numbered(next(self._numbers), load(NEW))

    async def stored(self, raws: list[bytes]) -> list[Acknowledgement]:
        """Take and store messages that come together."""
        return await self.intake.store(
            [self.intake.take([Arrival(raw, self.sender, datetime.now(UTC))]) for raw in raws]
        )

    async def take_and_store(self) -> Parcel:
        parcel = self.intake.take([Arrival(raw=self.message(), sender=self.sender, at=datetime.now(UTC))])
        (answer,) = await self.intake.store([parcel])
        assert answer.state == InboundMessage.State.RECEIVED
        return parcel

    async def errand_done(self) -> None:
        """Wait until one more work in a thread is over."""
        async with asyncio.timeout(30):
            await self.errands.get()

    async def _run(self, work: Callable[[], object]) -> object:
        try:
            if self.is_broken:
                raise DatabaseError("gone")
            return await self.threads.run(work)
        finally:
            self.errands.put_nowait("over")

    async def close(self) -> None:
        await self.intake.close()
        await self.threads.close()


def played(endpoint: FhirEndpoint, play: Callable[[Scene], object]) -> None:
    async def whole() -> None:
        scene = Scene(endpoint)
        try:
            await play(scene)
        finally:
            await scene.close()

    asyncio.run(whole())


def test_ageing_rules_are_read_anew_while_messages_are_judged_with_those_known(endpoint, monkeypatch):
    clock = Clock(monkeypatch)

    async def play(scene: Scene) -> None:
        assert (await scene.take_and_store()).judged is None  # nobody knew this sender
        await scene.errand_done()
        clock.seconds = RULES_SECONDS * 0.4
        assert (await scene.take_and_store()).judged is not None
        clock.seconds = RULES_SECONDS * 0.6
        assert (await scene.take_and_store()).judged is not None
        await scene.errand_done()
        clock.seconds = RULES_SECONDS * 1.2  # too old for the rules of the beginning
        assert (await scene.take_and_store()).judged is not None

    played(endpoint, play)
    assert InboundMessage.objects.count() == 4


def test_rules_that_cannot_be_read_anew_are_used_until_they_are_too_old(endpoint, monkeypatch):
    clock = Clock(monkeypatch)

    async def play(scene: Scene) -> None:
        await scene.take_and_store()
        await scene.errand_done()
        scene.is_broken = True
        clock.seconds = RULES_SECONDS * 0.9
        assert (await scene.take_and_store()).judged is not None
        await scene.errand_done()
        scene.is_broken = False
        clock.seconds = RULES_SECONDS * 1.1
        assert (await scene.take_and_store()).judged is None

    played(endpoint, play)
    assert InboundMessage.objects.count() == 3


def test_new_messages_are_stored_although_known_ones_came_with_them(endpoint):
    async def play(scene: Scene) -> None:
        await scene.take_and_store()  # so that the rules are known, and everything below is stored by the loop
        for _ in range(2):  # unsuspecting, then careful
            known, first, second = (scene.message() for _ in range(3))
            await scene.stored([known])
            answers = await scene.stored([first, known, second, second])
            assert [answer.state for answer in answers] == [InboundMessage.State.RECEIVED] * 4
            assert {answer.code for answer in answers} == {AckCode.ACCEPT}

    played(endpoint, play)
    assert InboundMessage.objects.count() == 7
    assert sorted(InboundMessage.objects.values_list("deliveries", flat=True)) == [1, 1, 1, 2, 2, 2, 2]


def test_known_messages_are_looked_for_first_only_for_a_while(endpoint, monkeypatch):
    statements = []
    execute = LoopConnection.execute

    async def note(connection: LoopConnection, statement: str, parameters: Sequence[object]) -> int:
        statements.append("ON CONFLICT" in statement)
        return await execute(connection, statement, parameters)

    monkeypatch.setattr(LoopConnection, "execute", note)

    async def play(scene: Scene) -> None:
        clock = asyncio.get_running_loop()
        first = scene.message()
        await scene.stored([first])
        await scene.stored([first])
        await scene.take_and_store()
        assert statements == [False, False, True, True]
        later = clock.time() + 11
        monkeypatch.setattr(clock, "time", lambda: later)
        await scene.take_and_store()
        assert statements[4:] == [False]

    played(endpoint, play)


def test_messages_of_several_senders_in_one_group_are_each_stored_as_what_they_are(endpoint):
    other = make_endpoint()
    moved = change(load(MOVED), ("MSH", 3, "OTHER"))

    async def play(scene: Scene) -> None:
        senders = [sender_of(endpoint), sender_of(other)]
        parcels = [
            scene.intake.take([Arrival(numbered(number, raw), sender, datetime.now(UTC))])
            for number, (raw, sender) in enumerate((raw, sender) for raw in (load(NEW), moved) for sender in senders)
        ]
        await scene.intake.store(parcels)

    played(endpoint, play)
    rows = InboundMessage.objects.values_list("control_id", "endpoint_id", "sending_application", "trigger")
    assert set(rows) == {
        ("N0", endpoint.pk, "EPIC", "S12"),
        ("N1", other.pk, "EPIC", "S12"),
        ("N2", endpoint.pk, "OTHER", "S13"),
        ("N3", other.pk, "OTHER", "S13"),
    }
    assert all(
        row.raw_bytes == numbered(int(row.control_id[1:]), load(NEW) if row.trigger == "S12" else moved)
        for row in InboundMessage.objects.all()
    )


def test_a_database_connection_that_broke_is_opened_anew(endpoint):
    async def play(scene: Scene) -> None:
        await scene.take_and_store()
        await asyncio.to_thread(_cut_all_but_ours)
        await scene.take_and_store()  # by a thread
        await scene.take_and_store()

    played(endpoint, play)
    assert InboundMessage.objects.count() == 3


def _cut_all_but_ours() -> None:
    with psycopg.connect(**_parameters(), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query LIKE '%hl7intake_inboundmessage%' AND state = 'idle'"
        )


def _parameters() -> dict[str, object]:
    given = connection.get_connection_params()
    return {name: given[name] for name in ("host", "port", "dbname", "user", "password") if name in given}
