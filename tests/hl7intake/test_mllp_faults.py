"""The listener when something fails, and as a process: started, stopped, killed."""

import asyncio
import signal
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection

from core import heartbeat
from hl7intake.framing import frame
from hl7intake.mllp import ListenerOptions
from hl7intake.models import InboundMessage
from hl7intake.services.storing import columns_of
from hl7intake.statements import LoopConnection
from hl7intake.tasks import apply_received
from tests.hl7intake.messages import NEW, change, load
from tests.hl7intake.mllp import (
    Peer,
    RunningListener,
    code,
    eventually,
    numbered,
    processor_seconds,
    start_listener,
)
from tests.hl7intake.pki import DAY, client_context
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


# --- Faults -------------------------------------------------------------------------------------------------


def test_without_redis_messages_are_stored_and_accepted(server, bridges, tmp_path):
    tomorrow = f"{datetime.now(UTC) + DAY:%Y%m%d%H%M}"
    process, port = start_listener(server, "--port", "0", REDIS_URL="redis://127.0.0.1:1/0")
    try:
        with Peer(port, client_context(bridges, tmp_path)) as peer:
            peer.send(frame(change(load(NEW), ("SCH", 11, f"^^^{tomorrow}"))))
            assert code(peer.answer())[0] == "AA"
        assert eventually(lambda: InboundMessage.objects.get().state == InboundMessage.State.APPLIED, seconds=15)
    finally:
        process.terminate()
        process.communicate(timeout=15)

    assert Visit.objects.get().sms_messages.exists()


def test_a_database_error_is_answered_with_a_request_to_send_again(peer):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hl7intake_inboundmessage RENAME TO away")
    try:
        peer.send(frame(load(NEW)))
        assert code(peer.answer()) == ("AE", "700000101")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO hl7intake_inboundmessage")

    peer.send(frame(load(NEW)))
    assert code(peer.answer()) == ("AA", "700000101")
    assert eventually(lambda: Visit.objects.count() == 1)


def test_database_connections_that_were_cut_are_opened_anew(peer):
    peer.send(frame(numbered(1)))
    assert code(peer.answer())[0] == "AA"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for number in range(2, 6):
        peer.send(frame(numbered(number)))
        assert code(peer.answer()) == ("AA", f"N{number}")


def test_the_same_message_on_many_connections_has_one_effect(running, bridges, tmp_path):
    context = client_context(bridges, tmp_path)
    answers: list[str] = []

    def send() -> None:
        with Peer(running.port, context) as peer:
            for raw in (load(NEW), change(load(NEW), ("MSH", 10, "B"), ("MSH", 7, "20260914103013"))) * 3:
                peer.send(frame(raw))
                answers.append(code(peer.answer())[0])

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == ["AA"] * 36
    assert eventually(lambda: not InboundMessage.objects.waiting().exists())
    assert (Visit.objects.count(), InboundMessage.objects.count()) == (1, 2)
    assert sum(InboundMessage.objects.values_list("deliveries", flat=True)) == 36


def test_an_unexpected_failure_ends_the_connection_and_not_the_listener(peer, running, bridges, tmp_path, monkeypatch):
    def fail_once(deliveries):
        monkeypatch.setattr("hl7intake.intake.columns_of", columns_of)
        raise RuntimeError("RIVERA")

    monkeypatch.setattr("hl7intake.intake.columns_of", fail_once)
    peer.send(frame(load(NEW)))
    assert peer.is_closed_by_peer()
    with Peer(running.port, client_context(bridges, tmp_path)) as other:
        other.send(frame(load(NEW)))
        assert code(other.answer())[0] == "AA"


# --- The process --------------------------------------------------------------------------------------------


def test_a_heartbeat_is_left(running):
    assert eventually(lambda: heartbeat.is_alive(heartbeat.MLLP, now=datetime.now(UTC)))


def test_stopping_answers_what_came_and_closes_everything(server, bridges, tmp_path, monkeypatch):
    began, may_go_on = threading.Event(), threading.Event()
    execute = LoopConnection.execute

    async def slow(connection, *values):
        began.set()
        assert await asyncio.to_thread(may_go_on.wait, 10)
        return await execute(connection, *values)

    monkeypatch.setattr("hl7intake.statements.LoopConnection.execute", slow)
    running = RunningListener(ListenerOptions(host="127.0.0.1", port=0, identity=server))
    context = client_context(bridges, tmp_path)
    with Peer(running.port, context) as busy, Peer(running.port, context) as idle:
        busy.send(frame(numbered(1)) + frame(numbered(2)))
        assert began.wait(5)
        running.begin_to_stop()
        assert idle.is_closed_by_peer()
        may_go_on.set()
        assert [code(busy.answer()) for _ in range(2)] == [("AA", "N1"), ("AA", "N2")]
        assert busy.is_closed_by_peer()
    running.stop()

    assert InboundMessage.objects.count() == 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.port))


def test_the_command_listens_shares_its_port_and_leaves_on_sigterm(server, bridges, tmp_path):
    first, port = start_listener(server, "--port", "0")
    spent = processor_seconds(first.pid)
    second, _ = start_listener(server, "--port", str(port))
    try:
        for number in range(8):
            with Peer(port, client_context(bridges, tmp_path)) as peer:
                peer.send(frame(numbered(number)))
                assert code(peer.answer()) == ("AA", f"N{number}")
        first.send_signal(signal.SIGTERM)
        assert first.wait(15) == 0
        with Peer(port, client_context(bridges, tmp_path)) as peer:
            peer.send(frame(numbered(9)))
            assert code(peer.answer()) == ("AA", "N9")
    finally:
        for process in (first, second):
            process.terminate()
            process.communicate(timeout=15)
    assert second.returncode == 0
    assert spent < 10  # about one second; of processor time, because others may keep the machine busy


def test_the_command_killed_between_messages_loses_none(server, bridges, tmp_path):
    process, port = start_listener(server, "--port", "0")
    accepted = 0
    with Peer(port, client_context(bridges, tmp_path)) as peer:
        for number in range(30):
            peer.send(frame(numbered(number)))
            if number == 20:
                process.kill()
            try:
                accepted += code(peer.answer())[0] == "AA"
            except (EOFError, ConnectionError, ssl.SSLError):
                break
    process.communicate(timeout=15)

    assert accepted >= 20
    assert InboundMessage.objects.count() >= accepted
    apply_received()
    assert Visit.objects.count() == InboundMessage.objects.filter(state=InboundMessage.State.APPLIED).count()
    assert not InboundMessage.objects.waiting().exists()
