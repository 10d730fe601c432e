"""Run the HL7 listener."""

import asyncio
import signal
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config_portal.management.finding import find_endpoint
from core import garbage
from hl7intake.connection import ConnectionLimits
from hl7intake.mllp import Listener, ListenerOptions
from hl7intake.services.senders import Sender
from hl7intake.trust import ServerIdentity


class Command(BaseCommand):
    help = "Takes HL7 messages over MLLP with TLS until it is told to stop (SIGTERM or Ctrl-C)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept another address than the configured one, and plain MLLP for trials on this machine."""
        parser.add_argument("--host", default=settings.MLLP_HOST)
        parser.add_argument("--port", type=int, default=settings.MLLP_PORT)
        parser.add_argument("--plain", action="store_true", help="without TLS; on a loopback address only")
        parser.add_argument("--endpoint", default="", help="with --plain: whose messages these are, organization/name")

    def handle(self, *_: object, **options: Any) -> None:
        """Listen until stopped."""
        asyncio.run(self._run(_options(options)))

    async def _run(self, options: ListenerOptions) -> None:
        listener = Listener(options)
        try:
            await listener.start()
        except OSError as error:
            raise CommandError(f"Cannot listen on {options.host}:{options.port}: {error.strerror or error}") from error
        garbage.settle()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, listener.stop)
        way = "TLS" if options.identity else "plain"
        self.stdout.write(f"Listening for HL7 on {options.host}:{listener.port} ({way})")
        self.stdout.flush()
        await listener.serve()


def _options(given: dict[str, Any]) -> ListenerOptions:
    common = {
        "host": given["host"],
        "port": given["port"],
        "connections_a_sender": settings.MLLP_CONNECTIONS_PER_SENDER,
        "handshake_seconds": settings.MLLP_HANDSHAKE_SECONDS,
        "limits": ConnectionLimits(
            message_bytes=settings.HL7_MESSAGE_BYTES, message_seconds=settings.MLLP_MESSAGE_SECONDS
        ),
    }
    if given["plain"]:
        return ListenerOptions(**common, identity=None, plain_sender=_plain_sender(given))
    paths = (settings.MLLP_TLS_CERTIFICATE_PATH, settings.MLLP_TLS_KEY_PATH)
    if not all(paths):
        raise CommandError("Set MLLP_TLS_CERTIFICATE_PATH and MLLP_TLS_KEY_PATH, or use --plain on this machine.")
    return ListenerOptions(**common, identity=ServerIdentity(certificate_path=paths[0], key_path=paths[1]))


def _plain_sender(given: dict[str, Any]) -> Sender:
    if not _is_loopback(given["host"]) and not settings.MLLP_ALLOW_PLAIN:
        raise CommandError(
            "--plain is for loopback addresses only, such as --host 127.0.0.1. MLLP_ALLOW_PLAIN=true allows others, "
            "behind a tunnel that encrypts and knows the sender."
        )
    if not given["endpoint"]:
        raise CommandError("--plain needs --endpoint organization/name: without certificate nobody says who sends.")
    endpoint = find_endpoint(given["endpoint"])
    return Sender(organization_id=endpoint.organization_id, endpoint_id=endpoint.pk)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
