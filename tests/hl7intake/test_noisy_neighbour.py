"""Acceptance test 72, the intake: one hospital's interface repeats everything it has, another's sends as always."""

import statistics
import time
from datetime import UTC, datetime

import pytest

from hl7intake.framing import frame
from hl7intake.services.certificates import add_certificate
from tests.factories import make_endpoint, make_organization
from tests.hl7intake.mllp import Peer, code, eventually, listening, numbered
from tests.hl7intake.pki import client_context, make_identity
from tests.hl7intake.test_chaos import Flood

pytestmark = pytest.mark.django_db(transaction=True)
SEVENFOLD = 7


# On a busy machine only the order of magnitude can be asked for; `make chaos` asks for the two seconds of Epic's limit.
@pytest.mark.parametrize(("messages", "most"), [(30, 10.0), pytest.param(300, 2.0, marks=pytest.mark.chaos)])
def test_a_flood_of_one_hospital_holds_no_other_up(server, bridges, tmp_path, messages, most):
    quiet = make_endpoint(make_organization(name="Tailspin Clinics"))
    identity = make_identity()
    add_certificate(quiet, identity.pem, actor="dana", now=datetime.now(UTC))
    times = []
    (tmp_path / "quiet").mkdir()
    with listening(identity=server, call_workers=lambda: True) as running:
        flood = Flood(running.port, client_context(bridges, tmp_path), senders=SEVENFOLD)
        assert eventually(lambda: len(flood.accepted) >= SEVENFOLD, seconds=60)
        with Peer(running.port, client_context(identity, tmp_path / "quiet"), timeout=60.0) as peer:
            for number in range(messages):
                began = time.monotonic()
                peer.send(frame(numbered(number)))
                assert code(peer.answer()) == ("AA", f"N{number}")
                times.append(time.monotonic() - began)
        during = len(flood.accepted)
        flood.stop()
    assert during > messages  # it was a flood while the other sent
    assert statistics.quantiles(times, n=20)[-1] < most
    assert quiet.inbound_messages.count() == messages
