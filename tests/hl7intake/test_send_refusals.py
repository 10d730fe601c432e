"""The demonstration's refusals: seen in the message browser, and among those who were not let in."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from hl7intake.models import InboundMessage, RefusedSender
from tests.hl7intake.mllp import eventually, listening
from tests.hl7intake.pki import make_identity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def arguments(server, settings, tmp_path):
    settings.MLLP_TLS_CERTIFICATE_PATH, settings.MLLP_TLS_KEY_PATH = server.certificate_path, server.key_path
    with listening(identity=server, trust_seconds=0, tick_seconds=0.1) as running:
        yield lambda identity: [
            f"--port={running.port}",
            *(f"--{name}={path}" for name, path in zip(("cert", "key"), identity.write(tmp_path, "c"), strict=True)),
        ]


def test_two_messages_and_a_stranger_are_refused(arguments, bridges):
    said = StringIO()
    call_command("send_refusals", *arguments(bridges), stdout=said)

    assert "SIU^S12 was refused: AE The start of the appointment is missing" in said.getvalue()
    assert "ADT^A08 was refused: AR" in said.getvalue()
    assert "without a registered certificate was refused" in said.getvalue()
    rejected = InboundMessage.objects.filter(state=InboundMessage.State.REJECTED)
    assert set(rejected.values_list("error_code", flat=True)) == {"hl7.start_missing", "hl7.unsupported_type"}
    assert eventually(lambda: RefusedSender.objects.filter(certificate=None).exists())


def test_without_the_senders_certificate_it_fails(arguments):
    with pytest.raises(CommandError):
        call_command("send_refusals", *arguments(make_identity("nobody")), stdout=StringIO())
