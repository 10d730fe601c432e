"""Send a test message through the real listener, from the handshake to the acknowledgement.

A certificate is made for it, registered, used once and revoked, so that trust without a restart is tried
too. The message is an S12 of a visit type that nobody has chosen: it is stored, acknowledged and not used, so
no visit and no text comes of it.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from config_portal.models import FhirEndpoint
from core import audit
from core.context import new_reference
from core.errors import ConfigurationError, ConnectorError
from hl7intake.client import ClientOptions, MllpClient
from hl7intake.models import TRIAL_ACTOR, TRIAL_APPLICATION, TRIAL_FACILITY
from hl7intake.sending import Answer, send_one
from hl7intake.services.certificates import add_certificate, revoke

VISIT_TYPE = "CONNECTORTEST"
_VALID_FOR = timedelta(minutes=10)
# The listener reads the list of certificates anew once a second.
_TRIES, _PAUSE_SECONDS = 5, 1.0
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How the test went.

    :param control_id: MSH-10 of the message, under which it is found.
    """

    control_id: str
    answer: Answer


def send_test_message(endpoint: FhirEndpoint, *, actor: str, now: datetime) -> Trial:
    """Send one message for ``endpoint`` to our own listener and return what it said.

    :raises ConfigurationError: ``mllp.listener_off`` when no listener is set up, ``mllp.handshake_failed``.
    :raises UpstreamUnavailable: ``mllp.unreachable`` or ``mllp.no_answer``.
    """
    if not settings.MLLP_TLS_CERTIFICATE_PATH:
        raise ConfigurationError(
            "mllp.listener_off",
            "The HL7 listener is not set up. The operator sets MLLP_TLS_CERTIFICATE_PATH and MLLP_TLS_KEY_PATH.",
        )
    control_id = f"TEST-{new_reference()}"
    message = _message(endpoint, control_id=control_id, now=now)
    with _identity(now=now) as (pem, path):
        certificate = add_certificate(endpoint, pem, actor=TRIAL_ACTOR + actor, now=now)
        try:
            answer = _send(message, certificate_path=path)
        finally:
            revoke(certificate, actor=TRIAL_ACTOR + actor, now=now)
    audit.record(
        "sender.tested",
        organization_id=endpoint.organization_id,
        actor=actor,
        subject=endpoint,
        answer=answer.code,
        control_id=control_id,
    )
    return Trial(control_id=control_id, answer=answer)


def _send(message: bytes, *, certificate_path: str) -> Answer:
    options = ClientOptions(
        host=settings.MLLP_PUBLIC_HOST,
        port=settings.MLLP_PORT,
        certificate_path=certificate_path,
        server_certificate_path=settings.MLLP_TLS_CERTIFICATE_PATH,
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    for attempt in range(1, _TRIES + 1):
        try:
            with MllpClient(options) as client:
                return send_one(client, message)
        except ConnectorError as error:
            # With TLS 1.3 a certificate that is not known yet ends the connection after the handshake.
            if error.code not in {"mllp.no_answer", "mllp.handshake_failed"} or attempt == _TRIES:
                raise
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError


@contextmanager
def _identity(*, now: datetime) -> Iterator[tuple[bytes, str]]:
    """Make a key and a certificate; yield the certificate, and a file that holds both for as long as it is needed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test message of the EHR connector")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + _VALID_FOR)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem + private)
        yield pem, str(path)


def _message(endpoint: FhirEndpoint, *, control_id: str, now: datetime) -> bytes:
    local = now.astimezone(ZoneInfo(endpoint.time_zone))
    start = f"{local + timedelta(days=1):%Y%m%d}1000"
    segments = [
        f"MSH|^~\\&|{TRIAL_APPLICATION}|{TRIAL_FACILITY}|EHRCONNECTOR|{endpoint.name}|{local:%Y%m%d%H%M%S}||SIU^S12|{control_id}|T|2.3",
        f"SCH||{control_id}||||||{VISIT_TYPE}^TEST OF THE CONNECTOR|30|MIN|^^^{start}||||||||||||||BOOKED",
        f"PID|1||{control_id}^^^TEST^MR||TEST^TEST",
        f"AIS|1|A|{VISIT_TYPE}^TEST OF THE CONNECTOR|{start}|0|MIN|30|MIN",
        f"AIL|1|A|{VISIT_TYPE}",
    ]
    return ("\r".join(segments) + "\r").encode("ascii")
