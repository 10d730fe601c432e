"""From a change of presence to the EHR: order, lag and throughput of write-back, at an EHR that takes 100 ms.

Two runs at an organization of their own, with the worker of the stack delivering. *Paced*: a thousand meetings with
two people each, five changes each, 200 changes a second; the lag is from the commit of the change to its arrival at
the EHR. *Backlog*: the same changes stored while the endpoint is paused, then all delivered; the peer is what the
stub itself gives a client that does nothing but call it with as many connections.
"""

import asyncio
import statistics
import threading
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import requests
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import ehr_stub
from benchmarks.harness import Row
from config_portal.models import Environment, FhirEndpoint, Organization
from config_portal.services.approval import approve_configuration
from config_portal.services.keys import create_keys
from epic.connection import SmartEndpoints
from meetings.models import Meeting, Participant, PresenceEvent
from meetings.signals import presence_changed
from visits.models import Visit
from visits.services.scheduling import session_index
from writeback import tasks
from writeback.models import WritebackConfiguration, WritebackEvent

MEETINGS, PEOPLE, CHANGES = 1000, ("provider", "patient"), 5
A_SECOND = 200
AT_ONCE = 32
FEEDERS = 4
_Kind = PresenceEvent.Kind
_PAUSE = threading.Event()


class NotDelivered(Exception):
    """Something did not reach the EHR, so figures mean nothing."""


def measure() -> list[Row]:
    """Run both and return the figures.

    :raises NotDelivered: when the EHR did not get everything.
    """
    with ehr_stub.running() as stub:
        paced = _paced(stub)
    with ehr_stub.running() as stub:
        return [*paced, *_backlog(stub)]


def _paced(stub: str) -> list[Row]:
    endpoint, people = _hospital(stub)
    committed = _feed(people, a_second=A_SECOND)
    ledger = _delivered(stub, endpoint, count=len(committed))
    lags = _lags(committed, ledger)
    span = max(at for *_, at in ledger) - min(committed.values())
    fed = max(committed.values()) - min(committed.values())
    return [
        Row(metric="paced: changes", value=len(committed), unit=""),
        Row(metric="paced: changes stored", value=len(committed) / fed, unit="1/s"),
        Row(metric="paced: delivered", value=len(ledger) / span, unit="1/s"),
        Row(metric="paced: lag, median", value=statistics.median(lags), unit="s"),
        Row(metric="paced: lag, p99", value=lags[int(len(lags) * 0.99)], unit="s", target=5),
        Row(metric="paced: out of order", value=_disorder(ledger), unit="", target=0),
        Row(metric="paced: twice", value=len(ledger) - len(committed), unit="", target=0),
    ]


def _backlog(stub: str) -> list[Row]:
    endpoint, people = _hospital(stub)
    FhirEndpoint.objects.filter(pk=endpoint.pk).update(is_paused=True)
    committed = _feed(people, a_second=0)
    most = _most_of(stub)
    before = len(_ledger(stub))
    FhirEndpoint.objects.filter(pk=endpoint.pk).update(is_paused=False)
    WritebackEvent.objects.filter(endpoint=endpoint).update(due_at=timezone.now())
    tasks.deliver.apply_async(args=(str(endpoint.pk),))
    ledger = _delivered(stub, endpoint, count=len(committed), skip=before)
    times = [at for *_, at in ledger]
    rate = len(ledger) / (max(times) - min(times))
    return [
        Row(metric="backlog: delivered", value=rate, unit="1/s", peer=round(most, 1), target=0.8 * most, at_least=True),
        Row(metric="backlog: out of order", value=_disorder(ledger), unit="", target=0),
        Row(metric="backlog: twice", value=len(ledger) - len(committed), unit="", target=0),
    ]


def _hospital(stub: str) -> tuple[FhirEndpoint, list[Participant]]:
    """Make an organization whose Epic is the stub, with everybody who will come and go."""
    now = timezone.now()
    name = f"bench-{uuid.uuid4().hex[:8]}"
    with transaction.atomic():
        organization = Organization.objects.create(name=name, slug=name)
        create_keys(organization, environment=Environment.TEST, now=now, activate=True)
        endpoint = FhirEndpoint.objects.create(
            organization=organization,
            name=name,
            environment=Environment.TEST,
            base_url=f"{stub}/interconnect/api/FHIR/R4",
            backend_client_id="bench-backend",
            connection_status={"connected_from": "call"},
        )
        WritebackConfiguration.objects.create(endpoint=endpoint, most_at_once=AT_ONCE, most_a_second=1000)
        oauth = f"{stub}/oauth2"
        smart = SmartEndpoints(
            issuer=oauth,
            authorization_endpoint=f"{oauth}/authorize",
            token_endpoint=f"{oauth}/token",
            jwks_uri=f"{oauth}/jwks",
        )
        approve_configuration(endpoint, smart=smart, seen_digest=None, approved_by="bench", now=now)
        people = [person for number in range(MEETINGS) for person in _meeting(endpoint, number)]
    return endpoint, people


def _meeting(endpoint: FhirEndpoint, number: int) -> list[Participant]:
    now = timezone.now()
    visit = Visit.objects.create(
        organization=endpoint.organization,
        endpoint=endpoint,
        session_id=str(number),
        session_index=session_index(endpoint, str(number)),
        conference_id=str(number),
        time_zone="UTC",
    )
    meeting = Meeting.objects.create(
        organization=endpoint.organization,
        visit=visit,
        external_id=uuid.uuid4().hex,
        tenant_id=uuid.uuid4(),
        client_id=uuid.uuid4(),
        organizer_object_id=uuid.uuid4(),
        state=Meeting.State.READY,
        created_at=now,
    )
    return Participant.objects.bulk_create(
        Participant(
            organization=endpoint.organization, meeting=meeting, role=role, ordinal=1, state_at=now, created_at=now
        )
        for role in PEOPLE
    )


def _feed(people: list[Participant], *, a_second: int) -> dict[tuple[str, int], float]:
    """Let everybody come and go, some at once; return when each change was committed.

    :param a_second: how many changes; 0 means as fast as it goes.
    """
    committed: dict[tuple[str, int], float] = {}
    started = time.time()
    steps = [(person, number) for number in range(1, CHANGES + 1) for person in people]

    def work(offset: int) -> None:
        for index in range(offset, len(steps), FEEDERS):
            person, number = steps[index]
            if a_second:
                _PAUSE.wait(max(started + index / a_second - time.time(), 0))
            _change(person, number)
            committed[str(person.pk), number] = time.time()
        connection.close()

    with ThreadPoolExecutor(FEEDERS) as pool:
        for done in [pool.submit(work, offset) for offset in range(FEEDERS)]:
            done.result()
    return committed


def _change(person: Participant, number: int) -> None:
    """Commit one change of presence and tell it on, as ``meetings.services.presence`` does."""
    now = timezone.now()
    is_in = number % 2 == 1
    with transaction.atomic():
        event = PresenceEvent.objects.create(
            participant=person,
            kind=_Kind.CONNECTED if is_in else _Kind.DISCONNECTED,
            sequence=number,
            at=now,
            created_at=now,
        )
        person.state, person.state_at = ("connected" if is_in else "left"), now
        person.save(update_fields=["state", "state_at"])
        presence_changed.send(sender=PresenceEvent, participant=person, event=event, now=now)


def _delivered(stub: str, endpoint: FhirEndpoint, *, count: int, skip: int = 0) -> list[ehr_stub.Entry]:
    """Wait until nothing is open, and return what the EHR got."""
    deadline = time.monotonic() + 240
    while WritebackEvent.objects.filter(endpoint=endpoint).exclude(state="accepted").exists():
        if time.monotonic() > deadline:
            left = WritebackEvent.objects.filter(endpoint=endpoint).exclude(state="accepted").count()
            raise NotDelivered(f"{left} of {count} changes are not delivered")
        _PAUSE.wait(0.5)
    return _ledger(stub)[skip:]


def _ledger(stub: str) -> list[ehr_stub.Entry]:
    return [tuple(entry) for entry in requests.get(f"{stub}/ledger", timeout=30).json()]


def _lags(committed: dict[tuple[str, int], float], ledger: list[ehr_stub.Entry]) -> list[float]:
    """Return how long each change took to arrive, shortest first; the n-th call for a person is their n-th change."""
    count: dict[str, int] = defaultdict(int)
    lags = []
    for person, _, at in ledger:
        count[person] += 1
        lags.append(at - committed[person, count[person]])
    return sorted(lags)


def _disorder(ledger: list[ehr_stub.Entry]) -> int:
    """Return how many calls did not bring the opposite of what the person's call before had brought."""
    last: dict[str, str] = defaultdict(lambda: "2")
    wrong = 0
    for person, status, _ in ledger:
        wrong += status == last[person]
        last[person] = status
    return wrong


def _most_of(stub: str) -> float:
    """Return how many calls a second the stub answers to ``AT_ONCE`` connections that only call."""
    host, _, port = stub.removeprefix("http://").partition(":")
    line = b"GET /x?ExternalID=peer&ConnectionStatus=1 HTTP/1.1\r\nHost: stub\r\n\r\n"
    calls = 40

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(calls):
            writer.write(line)
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
        writer.close()

    async def run() -> float:
        started = time.monotonic()
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        return AT_ONCE * calls / (time.monotonic() - started)

    return asyncio.run(run())
