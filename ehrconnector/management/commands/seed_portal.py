"""Fill the portal with invented organizations."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from config_portal.models import Organization
from ehrconnector.seeded_portal import PREFIX, seed


class Command(BaseCommand):
    help = "Adds many invented organizations and FHIR endpoints, to measure with. For test installations only."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept how many."""
        parser.add_argument("--organizations", type=int, default=2000)
        parser.add_argument("--endpoints", type=int, default=20_000)

    def handle(self, *_: object, **options: Any) -> None:
        """Seed once."""
        if Organization.objects.filter(slug__startswith=PREFIX).exists():
            self.stdout.write("The portal is seeded already; nothing was added.")
            return
        seed(organizations=options["organizations"], endpoints=options["endpoints"], now=timezone.now())
        self.stdout.write(f"Added {options['organizations']} organizations and {options['endpoints']} endpoints.")
