"""Set the demonstration hospital up."""

import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import ConnectorError
from ehrconnector.demo_hospital import Demonstration, set_up


class Command(BaseCommand):
    help = "Sets up the hospital Lamna Healthcare against a running sandbox. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept where the sandbox is; by default from the environment."""
        parser.add_argument("--sandbox", default=os.environ.get("SANDBOX_URL", ""), help="address of the sandbox")
        parser.add_argument(
            "--sender-certificate",
            default=os.environ.get("SANDBOX_MLLP_CLIENT_CERTIFICATE_PATH", ""),
            help="PEM file of the certificate that the sandbox's HL7 sender shows",
        )

    def handle(self, *_: object, **options: str) -> None:
        """Set everything up and name what there is."""
        if not (options["sandbox"] and options["sender_certificate"]):
            raise CommandError("--sandbox and --sender-certificate are needed, or their variables")
        demonstration = Demonstration(
            sandbox_url=options["sandbox"].rstrip("/"), sender_certificate=Path(options["sender_certificate"])
        )
        try:
            organization = set_up(demonstration, now=timezone.now())
        except ConnectorError as error:
            raise CommandError(f"The sandbox did not answer as expected: {error}") from error
        names = ", ".join(endpoint.name for endpoint in organization.endpoints.all())
        self.stdout.write(f"{organization.name} is set up with {names}.")
