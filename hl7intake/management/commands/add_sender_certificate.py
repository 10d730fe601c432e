"""Pin a sender's certificate from the command line."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.management.finding import find_endpoint
from core.errors import ConfigurationError
from hl7intake.services.certificates import add_certificate


class Command(BaseCommand):
    help = "Lets the holder of a certificate send HL7 messages for a FHIR endpoint."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the endpoint and the file."""
        parser.add_argument("endpoint", help="organization/endpoint, such as lamna/lamna-test")
        parser.add_argument("file", type=Path, help="certificate: PEM, DER or base64")

    def handle(self, *_: object, **options: Any) -> None:
        """Pin the certificate; a second run with the same file changes nothing."""
        endpoint = find_endpoint(options["endpoint"])
        try:
            data = options["file"].read_bytes()
            certificate = add_certificate(endpoint, data, actor="command line", now=timezone.now())
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except ConfigurationError as error:
            raise CommandError(error.user_message) from error
        self.stdout.write(f"{certificate.subject}\nSHA-256 {certificate.fingerprint}\nvalid to {certificate.not_after}")
