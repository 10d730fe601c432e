"""Listeners and databases that die, floods and half-open connections: what was acknowledged is there, once.

A short version of each runs always, the long one in ``make chaos``.
"""

import contextlib
import itertools
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from ehrconnector.stack.account import server_account
from ehrconnector.stack.databases import ensure_database
from ehrconnector.stack.environment import variables_for_tests
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.servers import Servers
from hl7intake.batches import split_frame
from hl7intake.framing import frame
from hl7intake.models import InboundMessage
from hl7intake.reader import read_header
from hl7intake.services.certificates import add_certificate
from hl7intake.tasks import apply_received
from tests.forking import Forker
from tests.hl7intake.messages import NEW, load
from tests.hl7intake.mllp import Peer, code, eventually, listening, numbered, processor_seconds, start_listener
from tests.hl7intake.mutations import mutations
from tests.hl7intake.pki import client_context, make_identity
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)
MOMENT = threading.Event()
GONE = (EOFError, ConnectionError, ssl.SSLError, TimeoutError)


def long(value: object) -> object:
    """A parameter for ``make chaos`` alone."""
    return pytest.param(value, marks=pytest.mark.chaos)


class Flood:
    """Some senders that send each message until it is acknowledged, whoever dies meanwhile.

    ``accepted`` holds every control id that was answered AA.
    """

    def __init__(self, port, context, *, senders: int) -> None:
        self.port, self.context = port, context
        self.accepted: set[str] = set()
        self.refused = 0
        self.sent = 0
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(senders)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _send(self) -> None:
        while not self._over.is_set():
            with self._lock:
                number = next(self._numbers)
            while not self._deliver(number) and not self._over.is_set():
                time.sleep(0.02)

    def _deliver(self, number: int) -> bool:
        with contextlib.suppress(*GONE), Peer(self.port, self.context, timeout=20.0) as peer:
            while True:
                self.sent += 1
                peer.send(frame(numbered(number)))
                answer, control_id = code(peer.answer())
                if answer != "AA":
                    self.refused += 1
                    return False
                self.accepted.add(control_id)
                if self._over.is_set():
                    return True
                with self._lock:
                    number = next(self._numbers)
        return False


# --- The listener dies --------------------------------------------------------------------------------------


@pytest.fixture
def listeners(server):
    """Starts listeners on one port, loaded once and forked for each death."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    forker = Forker(
        "tests.hl7intake.killed_listener",
        KILLED_LISTENER_PORT=str(port),
        MLLP_TLS_CERTIFICATE_PATH=server.certificate_path,
        MLLP_TLS_KEY_PATH=server.key_path,
    )
    yield port, forker.start
    forker.stop()


@pytest.mark.parametrize("trials", [12, long(1_000)])
def test_a_listener_killed_at_any_moment_loses_nothing_and_repeats_nothing(trials, listeners, bridges, tmp_path):
    port, start = listeners
    chance = random.Random(42)  # noqa: S311 - repeatable, not secret
    flood = Flood(port, client_context(bridges, tmp_path), senders=3)
    for trial in range(trials):
        pid, before = start(), len(flood.accepted)
        if trial % 4:  # else at any moment of its start
            assert eventually(lambda least=before: len(flood.accepted) > least, seconds=60)
        MOMENT.wait(chance.uniform(0.0, 0.05))
        os.kill(pid, signal.SIGKILL)
    flood.stop()
    # One run of the task ends after a while, so that a long queue holds no worker.
    assert eventually(
        lambda: apply_received() or not InboundMessage.objects.waiting().exists(), seconds=60 + 5 * trials
    )

    stored = set(InboundMessage.objects.values_list("control_id", flat=True))
    assert len(flood.accepted) >= trials * 3 // 4
    assert flood.accepted <= stored
    assert not InboundMessage.objects.waiting().exists()
    assert Visit.objects.count() == len(stored)
    assert set(Visit.objects.values_list("version", flat=True)) <= {1}


# --- The database dies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", [4, long(50)])
def test_database_sessions_cut_in_a_flood_lose_nothing(cuts, server, bridges, tmp_path):
    with listening(identity=server, call_workers=lambda: True) as running:
        flood = Flood(running.port, client_context(bridges, tmp_path), senders=4)
        for number in range(cuts):
            assert eventually(lambda least=number * 5: len(flood.accepted) > least, seconds=30)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        flood.stop()

    assert flood.accepted <= set(InboundMessage.objects.values_list("control_id", flat=True))


@pytest.mark.chaos
def test_postgresql_killed_fifty_times_in_a_flood_loses_nothing(server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # the same one after each death
    servers = Servers(
        DataFolder.throw_away(server_account()),
        is_durable=True,
        sink=lambda _line: None,
        environ={"EMBEDDED_POSTGRES_PORT": str(port)},
    )
    servers.start()
    try:
        ensure_database(servers.owner_url)
        environment = {
            **os.environ,
            **variables_for_tests(),
            "DATABASE_URL": servers.owner_url,
            "REDIS_URL": servers.redis_url,
            "DJANGO_SETTINGS_MODULE": "ehrconnector.settings",
            "PYTHONUNBUFFERED": "1",
        }
        _prepare(environment)
        _kill_in_a_flood(servers, environment, times=50)
    finally:
        servers.stop()
        servers.folder.remove()


def _prepare(environment: dict[str, str]) -> None:
    setup = "import django; django.setup(); from core import scope; scope.use_for_process(scope.of_platform('test'))"
    make = "from tests.factories import *; make_endpoint(make_organization(slug='lamna'), name='lamna-test')"
    for command in (["manage.py", "migrate", "-v0"], ["-c", f"{setup}; {make}"]):
        subprocess.run([sys.executable, *command], env=environment, cwd=_ROOT, check=True)  # noqa: S603 - ourselves


_ROOT = Path(__file__).parents[2]


def _kill_in_a_flood(servers: Servers, environment: dict[str, str], *, times: int) -> None:
    command = [sys.executable, "manage.py", "run_mllp", "--host", "127.0.0.1", "--port", "0", "--plain"]
    listener = subprocess.Popen(  # noqa: S603 - ourselves
        [*command, "--endpoint", "lamna/lamna-test"], env=environment, cwd=_ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert listener.stdout is not None
        port = int(listener.stdout.readline().split(":")[1].split()[0])
        flood = Flood(port, None, senders=4)
        for number in range(times):
            assert eventually(lambda least=number * 20: len(flood.accepted) > least, seconds=60)
            assert servers.postgres is not None
            servers.postgres.kill()
            servers.postgres.start()
        flood.stop()
    finally:
        listener.terminate()
        listener.communicate(timeout=30)
    with psycopg.connect(servers.owner_url) as database:
        rows = database.execute("SELECT control_id FROM hl7intake_inboundmessage").fetchall()
    stored = [row[0] for row in rows]
    assert flood.accepted <= set(stored)
    assert len(stored) == len(set(stored))


# --- Floods, strangers, silence -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [300, long(20_000)])
def test_mutations_over_the_wire_get_one_answer_each_and_the_listener_lives(number, server, bridges, tmp_path):
    slowest = 0.0
    with (
        listening(identity=server, call_workers=lambda: True) as running,
        Peer(running.port, client_context(bridges, tmp_path), timeout=30.0) as peer,
    ):
        for raw in mutations(number, seed=11):
            messages = split_frame(raw).messages
            if b"\x0b" in raw or b"\x1c" in raw or any(_asks_for_modes(one) for one in messages):
                continue  # another frame, or another number of answers
            started = time.monotonic()
            peer.send(frame(raw))
            assert {code(peer.answer())[0] for _ in messages} <= {"AA", "AE", "AR"}
            slowest = max(slowest, time.monotonic() - started)
        peer.send(frame(numbered(1)))
        assert code(peer.answer()) == ("AA", "N1")
    assert slowest < 5


def _asks_for_modes(raw: bytes) -> bool:
    envelope = read_header(raw).envelope
    return bool(envelope.accept_acknowledgment or envelope.application_acknowledgment)


@pytest.mark.parametrize(("half_open", "idle"), [(40, 20), pytest.param(200, 500, marks=pytest.mark.chaos)])
def test_half_open_and_idle_connections_delay_nobody_and_leave_nothing(
    half_open,
    idle,
    server,
    endpoint,
    bridges,
    tmp_path,
):
    identities = [make_identity(f"engine-{number}") for number in range(1 + idle // 60)]
    for identity in identities:
        add_certificate(endpoint, identity.pem, actor="dana", now=datetime.now(UTC))
    contexts = [client_context(identity, tmp_path) for identity in identities]
    with listening(identity=server, handshake_seconds=2.0, call_workers=lambda: True) as running:
        with contextlib.ExitStack() as stack:
            for number in range(idle):
                stack.enter_context(contextlib.closing(Peer(running.port, contexts[number // 60])))
            stalled = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(half_open)]
            started = time.monotonic()
            with Peer(running.port, client_context(bridges, tmp_path)) as peer:
                peer.send(frame(load(NEW)))
                assert code(peer.answer())[0] == "AA"
            assert time.monotonic() - started < 2
            assert running.connections >= idle
            for one in stalled:
                one.settimeout(20)
                assert one.recv(1) == b""
                one.close()
        assert eventually(lambda: running.connections == 0, seconds=20)
        assert not running.listener._welcomes


def test_dropped_clients_cost_no_processor_time(server, bridges, tmp_path):
    process, port = start_listener(server, "--port", "0")
    try:
        for number in range(10):
            with Peer(port, client_context(bridges, tmp_path)) as peer:
                peer.send(frame(numbered(number))[: 100 * (number + 1)])
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, no goodbye
        assert eventually(lambda: _sockets(process.pid) <= 4)
        before = processor_seconds(process.pid)
        time.sleep(1.0)
        assert processor_seconds(process.pid) - before < 0.3
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _sockets(pid: int) -> int:
    """Count TCP connections that are up."""
    listing = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    inodes = {fields[9] for line in listing if (fields := line.split())[3] == "01"}
    own = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            own.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    return len(inodes & own)
