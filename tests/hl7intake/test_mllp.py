import socket
import ssl
import time
from datetime import UTC, datetime

import hl7.client
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.models import AuditEvent
from hl7intake.connection import ConnectionLimits
from hl7intake.framing import frame
from hl7intake.models import InboundMessage, SenderCertificate
from hl7intake.services.certificates import add_certificate, revoke
from tests.factories import make_endpoint
from tests.hl7intake.conftest import sender_of
from tests.hl7intake.messages import GROUP, NEW, load
from tests.hl7intake.mllp import Peer, code, eventually, listening, numbered
from tests.hl7intake.pki import DAY, client_context, make_identity
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


# --- Who is let in ------------------------------------------------------------------------------------------


def test_a_pinned_sender_is_answered_after_its_message_is_stored(peer, endpoint, bridges):
    peer.send(frame(load(NEW)))

    assert code(peer.answer()) == ("AA", "700000101")
    assert eventually(lambda: InboundMessage.objects.get().state == InboundMessage.State.APPLIED)
    row = InboundMessage.objects.get()
    assert row.endpoint == endpoint
    assert row.certificate == SenderCertificate.objects.get()
    assert Visit.objects.get().endpoint == endpoint


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_tls_versions_are_spoken(running, bridges, tmp_path, version):
    context = client_context(bridges, tmp_path)
    context.minimum_version = context.maximum_version = version
    with Peer(running.port, context) as peer:
        peer.send(frame(load(NEW)))
        assert code(peer.answer())[0] == "AA"


def _refused(port: int, context: ssl.SSLContext | None) -> bool:
    try:
        with Peer(port, context) as peer:
            peer.send(frame(load(NEW)))
            return peer.is_closed_by_peer()
    except (ConnectionError, ssl.SSLError, EOFError):
        return True


def refusals() -> set[str]:
    return {event.data["reason"] for event in AuditEvent.objects.filter(action="sender.refused")}


def test_strangers_are_refused_and_it_is_seen_why(running, bridges, tmp_path):
    same_name = make_identity(bridges.certificate.subject.rfc4514_string().removeprefix("CN="))
    issued_by_it = make_identity("other", issuer=bridges)

    assert _refused(running.port, client_context(None, tmp_path))
    assert _refused(running.port, client_context(same_name, tmp_path))
    assert _refused(running.port, client_context(issued_by_it, tmp_path))
    assert _refused(running.port, None)
    assert eventually(lambda: len(refusals()) == 3)
    assert refusals() == {"no certificate was presented", "certificate is not registered", "does not speak TLS"}
    assert not InboundMessage.objects.exists()
    assert running.connections == 0


def test_a_new_certificate_works_and_a_revoked_one_fails_without_a_restart(running, endpoint, bridges, tmp_path):
    second = make_identity("bridges-2.lamna.example.org")
    assert _refused(running.port, client_context(second, tmp_path))

    added = add_certificate(endpoint, second.pem, actor="dana", now=datetime.now(UTC))
    for number, identity in enumerate((bridges, second)):
        with Peer(running.port, client_context(identity, tmp_path)) as peer:
            peer.send(frame(numbered(number)))
            assert code(peer.answer())[0] == "AA"

    revoke(added, actor="dana", now=datetime.now(UTC))
    assert _refused(running.port, client_context(second, tmp_path))


def test_open_connections_of_a_revoked_certificate_are_closed(running, endpoint, peer, tmp_path):
    other = make_identity("bridges-2.lamna.example.org")
    add_certificate(endpoint, other.pem, actor="dana", now=datetime.now(UTC))
    with Peer(running.port, client_context(other, tmp_path)) as staying:
        revoke(SenderCertificate.objects.earliest("created_at"), actor="dana", now=datetime.now(UTC))

        assert peer.is_closed_by_peer()
        staying.send(frame(load(NEW)))
        assert code(staying.answer())[0] == "AA"


def test_certificates_tell_test_from_production(running, bridges, tmp_path):
    production = make_endpoint()
    identity = make_identity("prd.lamna.example.org")
    add_certificate(production, identity.pem, actor="dana", now=datetime.now(UTC))
    for one in (bridges, identity):
        with Peer(running.port, client_context(one, tmp_path)) as peer:
            peer.send(frame(load(NEW)))
            assert code(peer.answer())[0] == "AA"

    assert eventually(lambda: Visit.objects.count() == 2)
    assert Visit.objects.filter(endpoint=production).count() == 1


def test_pinned_leaves_work_whatever_issued_them_and_whatever_for(server, endpoint, tmp_path):
    authority = make_identity("Lamna CA", extensions=[x509.BasicConstraints(ca=True, path_length=None)])
    leaf = make_identity("issued", issuer=authority)
    for_servers = make_identity(
        "for servers", issuer=authority, extensions=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
    )
    for identity in (leaf, for_servers):
        add_certificate(endpoint, identity.pem, actor="dana", now=datetime.now(UTC))
    with listening(identity=server) as running:
        for number, identity in enumerate((leaf, for_servers)):
            with Peer(running.port, client_context(identity, tmp_path)) as peer:
                peer.send(frame(numbered(number)))
                assert code(peer.answer())[0] == "AA"
        assert _refused(running.port, client_context(make_identity("x", issuer=authority), tmp_path))


def test_an_expired_certificate_is_refused(server, endpoint, tmp_path):
    now = datetime.now(UTC)
    identity = make_identity(start=now - 30 * DAY, end=now - DAY)
    add_certificate(endpoint, identity.pem, actor="dana", now=now - 2 * DAY)
    with listening(identity=server, tick_seconds=0.1) as running:
        assert _refused(running.port, client_context(identity, tmp_path))


def test_one_sender_may_not_take_every_connection(server, bridges, tmp_path):
    context = client_context(bridges, tmp_path)
    with listening(identity=server, connections_a_sender=2, tick_seconds=0.1) as running:
        with Peer(running.port, context), Peer(running.port, context):
            assert eventually(lambda: running.connections == 2)
            assert _refused(running.port, context)
        assert eventually(lambda: running.connections == 0)
        with Peer(running.port, context) as peer:
            peer.send(frame(load(NEW)))
            assert code(peer.answer())[0] == "AA"


# --- The wire -----------------------------------------------------------------------------------------------


def test_a_message_in_pieces_of_seven_bytes_is_one_message(peer):
    data = frame(load(NEW))
    for start in range(0, len(data), 7):
        peer.send(data[start : start + 7])

    assert code(peer.answer()) == ("AA", "700000101")


def test_messages_in_one_packet_are_answered_in_order(peer):
    peer.send(b"".join(frame(numbered(number)) for number in range(20)))

    assert [code(peer.answer()) for _ in range(20)] == [("AA", f"N{number}") for number in range(20)]


def test_junk_and_missing_returns_are_tolerated(peer):
    first = frame(numbered(1)).removesuffix(b"\r")
    peer.send(b"\0\r\nGET / HTTP/1.1\r\n" + first)
    assert code(peer.answer()) == ("AA", "N1")
    peer.send(b"\r\n\0\n" + frame(numbered(2)))
    assert code(peer.answer()) == ("AA", "N2")


def test_a_bad_message_between_good_ones_stops_nothing(peer):
    peer.send(frame(numbered(1)) + frame(b"nonsense") + frame(load(NEW).replace(b"S12", b"Z02")) + frame(numbered(2)))

    assert [code(peer.answer())[0] for _ in range(4)] == ["AA", "AR", "AR", "AA"]


def test_a_message_cut_off_has_no_effect_and_leaves_nothing_open(running, bridges, tmp_path):
    with Peer(running.port, client_context(bridges, tmp_path)) as peer:
        peer.send(frame(load(NEW))[:300])
        assert eventually(lambda: running.connections == 1)
        peer.socket.shutdown(socket.SHUT_RDWR)

    assert eventually(lambda: running.connections == 0)
    assert not InboundMessage.objects.exists()


def test_a_sender_that_dies_before_the_answer_may_send_again(running, bridges, tmp_path):
    context = client_context(bridges, tmp_path)
    with Peer(running.port, context) as peer:
        peer.send(frame(load(NEW)))
    assert eventually(InboundMessage.objects.exists)
    with Peer(running.port, context) as peer:
        peer.send(frame(load(NEW)))
        assert code(peer.answer()) == ("AA", "700000101")

    assert eventually(Visit.objects.exists)
    assert (Visit.objects.get().version, InboundMessage.objects.get().deliveries) == (1, 2)


def test_a_message_too_long_is_refused_and_the_connection_closed(server, bridges, tmp_path):
    limits = ConnectionLimits(message_bytes=10_000)
    with (
        listening(identity=server, limits=limits) as running,
        Peer(running.port, client_context(bridges, tmp_path)) as peer,
    ):
        peer.send(frame(numbered(1)) + b"\x0b" + load(GROUP) + b"x" * 20_000)
        assert code(peer.answer()) == ("AA", "N1")
        assert code(peer.answer()) == ("AR", "700000120")
        assert peer.is_closed_by_peer()


def test_a_message_that_does_not_end_is_given_up(server, bridges, tmp_path):
    limits = ConnectionLimits(message_seconds=0.3)
    with (
        listening(identity=server, limits=limits) as running,
        Peer(running.port, client_context(bridges, tmp_path)) as peer,
    ):
        peer.send(frame(numbered(1)))
        assert code(peer.answer()) == ("AA", "N1")
        time.sleep(0.5)  # between messages a connection may be silent as long as it likes
        peer.send(frame(numbered(2)) + b"\x0bMSH|")
        assert code(peer.answer()) == ("AA", "N2")
        assert peer.is_closed_by_peer()


def test_a_handshake_that_stalls_is_given_up_and_delays_nobody(server, bridges, tmp_path):
    with listening(identity=server, handshake_seconds=1.0) as running:
        stalled = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(20)]
        started = time.monotonic()
        with Peer(running.port, client_context(bridges, tmp_path)) as peer:
            peer.send(frame(load(NEW)))
            assert code(peer.answer())[0] == "AA"
        assert time.monotonic() - started < 2
        for one in stalled:
            one.settimeout(5)
            assert one.recv(1) == b""
            one.close()


def test_an_independent_client_is_answered(running, bridges, tmp_path):
    client = hl7.client.MLLPClient("127.0.0.1", running.port)
    client.socket = client_context(bridges, tmp_path).wrap_socket(client.socket)
    with client:
        answer = hl7.parse(client.send_message(load(NEW).decode()).strip(b"\x0b\x1c\r").decode())

    assert str(answer.segment("MSA")[1]) == "AA"
    assert str(answer.segment("MSA")[2]) == "700000101"


def test_plain_connections_are_possible_where_asked_for(endpoint):
    with listening(identity=None, plain_sender=sender_of(endpoint)) as running, Peer(running.port, None) as peer:
        peer.send(frame(load(NEW)))
        peer.socket.shutdown(socket.SHUT_WR)  # a sender that has nothing more to say may still listen
        assert code(peer.answer())[0] == "AA"
        assert peer.is_closed_by_peer()
