"""Send the listener what it has to refuse, so that the demonstration's message browser shows that too."""

import os
import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import ConnectorError
from hl7intake.client import ClientOptions, MllpClient
from hl7intake.sending import send_one

_HEADER = r"MSH|^~\&|EPIC|LAMNA|EHRCONNECTOR|LAMNA|{now}||{kind}|{control_id}|T|2.3"
# An appointment whose start was left out of the mapping, and a message that belongs on another interface.
_PATIENT = "PID|1||E40031123^^^LAMNAMRN^MR||DOE^SAM"
_REFUSED = {
    "SIU^S12": f"SCH||{{csn}}||||||VV30^VIDEO VISIT 30|30|MIN|||||||||||||||BOOKED\r{_PATIENT}",
    "ADT^A08": _PATIENT,
}


class Command(BaseCommand):
    help = "Sends the listener two messages that it refuses, and knocks with a certificate that nobody registered."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the certificates; by default those of the demonstration."""
        found = os.environ.get
        parser.add_argument("--cert", default=found("SANDBOX_MLLP_CLIENT_CERTIFICATE_PATH", ""), help="of the sender")
        parser.add_argument("--key", default=found("SANDBOX_MLLP_CLIENT_KEY_PATH", ""))
        parser.add_argument("--port", type=int, default=settings.MLLP_PORT)

    def handle(self, *_: object, **options: Any) -> None:
        """Send, knock, and say what came of it."""
        for kind, body in _REFUSED.items():
            try:
                with MllpClient(_options(options, options["cert"], options["key"])) as client:
                    answer = send_one(client, _message(kind, body))
            except ConnectorError as error:
                raise CommandError(error.user_message) from error
            if answer.is_accepted:
                raise CommandError(f"{kind} was accepted.")
            self.stdout.write(f"{kind} was refused: {answer.code} {answer.text}")
        self._knock(options)

    def _knock(self, options: dict[str, Any]) -> None:
        """Show the listener's own certificate, which no sender may use."""
        own = settings.MLLP_TLS_CERTIFICATE_PATH, settings.MLLP_TLS_KEY_PATH
        try:
            with MllpClient(_options(options, *own)) as client:
                send_one(client, _message(*next(iter(_REFUSED.items()))))
        except ConnectorError:
            self.stdout.write("A sender without a registered certificate was refused.")
            return
        raise CommandError("A sender without a registered certificate was let in.")


def _options(options: dict[str, Any], certificate: str, key: str) -> ClientOptions:
    return ClientOptions(
        host="127.0.0.1",
        port=options["port"],
        certificate_path=certificate,
        key_path=key,
        server_certificate_path=settings.MLLP_TLS_CERTIFICATE_PATH,
        timeout_seconds=10.0,
    )


def _message(kind: str, body: str) -> bytes:
    number = uuid.uuid4().hex[:10].upper()
    header = _HEADER.format(now=f"{datetime.now(UTC):%Y%m%d%H%M%S}", kind=kind, control_id=f"DEMO{number}")
    return f"{header}\r{body.format(csn=int(number, 16) % 10**9)}\r".encode("ascii")
