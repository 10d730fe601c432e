"""Our entries in a chart against the twin's Epic, over the wire."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
from django.utils import timezone

from core.errors import UpstreamRejected, UpstreamUnavailable
from core.http import build_session
from epic.authorization import BackendAuthorization, BasicAuthorization
from epic.connection import Audience
from epic.fhir import Note, ObservationCode, communication, create, observation
from tests.contract.epic_twin import EpicTwin, set_up
from tests.epic.peer import Peer

pytestmark = pytest.mark.xdist_group("sandbox")
CODE = ObservationCode(system="urn:oid:1.2.3", code="14021")


@pytest.fixture
def keys() -> Iterator[Peer]:
    """Our public keys, where the twin fetches them."""
    server = Peer()
    yield server
    server.close()


@pytest.fixture
def epic_twin(sandbox, keys) -> EpicTwin:
    return set_up(sandbox.url, keys)


@pytest.fixture
def faults(sandbox):
    """Switch faults on; they are off again afterwards."""

    def switch(wanted):
        requests.put(f"{sandbox.url}/control/faults", json=wanted, timeout=10).raise_for_status()

    yield switch
    switch({})


@pytest.fixture
def note() -> Note:
    return Note(
        identifier=str(uuid.uuid4()),
        patient_id="eX.rivera",
        at=datetime(2026, 11, 29, 15, 2, tzinfo=UTC),
        text="Provider 1 connected to the video visit on Sun Nov 29, 9:02 AM.",
    )


@pytest.fixture
def write(epic_twin):
    """Write a resource to a chart as the backend app."""
    connection = epic_twin.connection(Audience.BACKEND)
    backend = BackendAuthorization(connection=connection)

    with build_session() as session:
        yield lambda resource, authorization=backend: create(
            session, connection, resource, authorization=authorization, now=timezone.now()
        )


def entries_of(epic_twin, note):
    return epic_twin.ledger(system="epic", kind="chart_entry", key=f"urn:uuid:{note.identifier}")


@pytest.mark.parametrize("build", [communication, lambda note: observation(note, CODE)], ids=["line", "flowsheet"])
def test_an_entry_arrives_whole(epic_twin, write, note, build):
    assert write(build(note)) == 201
    (entry,) = entries_of(epic_twin, note)
    assert entry["data"]["resource"] == build(note)


def test_a_background_user_may_write_too(epic_twin, write, note):
    user = BasicAuthorization(client_id=epic_twin.clients["backend"], username="emp$LAMNAVIDEO", password="pass:word")
    assert write(communication(note), user) == 201


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("break_the_glass", UpstreamRejected, "epic.break_the_glass"),
        ("not_mapped", UpstreamRejected, "epic.observation_not_mapped"),
        ("error", UpstreamUnavailable, "epic.failing"),
        ("busy", UpstreamUnavailable, "epic.failing"),
    ],
)
def test_what_epic_refuses_is_named_and_not_written(epic_twin, write, note, faults, fault, error, code):
    faults({"epic.chart": fault})
    with pytest.raises(error) as caught:
        write(communication(note))
    assert caught.value.code == code
    assert entries_of(epic_twin, note) == []


def test_a_patient_whom_epic_does_not_know_is_refused(write, note):
    with pytest.raises(UpstreamRejected) as caught:
        write(communication(replace(note, patient_id="eX.stranger")))
    assert (caught.value.code, caught.value.status) == ("epic.rejected", 404)


def test_a_stranger_and_an_incomplete_entry_are_refused(epic_twin, write, note):
    resource = communication(note)
    address = f"{epic_twin.fhir_base_url}/Communication"
    headers = {"Content-Type": "application/fhir+json"}
    assert requests.post(address, json=resource, headers=headers, timeout=10).status_code == 401
    with pytest.raises(UpstreamRejected) as caught:
        write({**resource, "payload": []})
    assert caught.value.status == 400
    assert entries_of(epic_twin, note) == []
