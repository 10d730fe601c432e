"""Write an organization's configuration as JSON."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.management.finding import find_organization
from config_portal.services.portable import export_configuration


class Command(BaseCommand):
    help = "Writes an organization's draft configuration as JSON: no secrets, no keys, no approvals."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept organization and file."""
        parser.add_argument("organization", help="short name, such as lamna")
        parser.add_argument("--output", type=Path, help="file to write; default: standard output")

    def handle(self, *_: object, **options: Any) -> None:
        """Write the file, or print."""
        text = export_configuration(find_organization(options["organization"]), now=timezone.now())
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
