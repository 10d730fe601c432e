"""Ask an endpoint's HTTPS sender for a password besides its certificate or signature."""

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config_portal.management.finding import find_endpoint
from core import audit
from hl7intake.models import SenderPassword
from hl7intake.services.https_senders import password_index


class Command(BaseCommand):
    help = "Sets a new HTTP Basic password for an endpoint's HL7 sender and prints it once; --remove asks for none."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept whose password, and whether it goes."""
        parser.add_argument("endpoint", help="organization/endpoint, such as lamna/lamna-test")
        parser.add_argument("--username", default="epic")
        parser.add_argument("--remove", action="store_true")

    def handle(self, *_: object, **options: Any) -> None:
        """Replace or remove the password."""
        endpoint = find_endpoint(options["endpoint"])
        action = "hl7_password.removed" if options["remove"] else "hl7_password.set"
        audit.record(action, organization_id=endpoint.organization_id, actor="command line", subject=endpoint)
        SenderPassword.objects.filter(endpoint=endpoint).delete()
        if options["remove"]:
            self.stdout.write("No password is asked for any more.")
            return
        password = secrets.token_urlsafe(24)
        index = password_index(endpoint.pk, password)
        SenderPassword.objects.create(endpoint=endpoint, username=options["username"], password_index=index)
        self.stdout.write(f"{options['username']}:{password}")
