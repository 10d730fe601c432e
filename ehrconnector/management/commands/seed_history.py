"""Invent a past for the demonstration hospital."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.models import Organization
from ehrconnector.history.telling import is_told, tell


class Command(BaseCommand):
    help = (
        "Adds invented visits of the last days with everything that belongs to them, so that the reports can be judged."
        " For test installations only. The same seed and day give the same visits; a seed is added once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept how many, of how long, and where."""
        parser.add_argument("--visits", type=int, default=5_000)
        parser.add_argument("--days", type=int, default=90)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--organization", default="lamna", help="short name")

    def handle(self, *_: object, **options: Any) -> None:
        """Seed once."""
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None or not organization.endpoints.exists() or not hasattr(organization, "teams_tenant"):
            raise CommandError("There is no such organization with a FHIR endpoint and a Teams tenant.")
        if options["visits"] < 1 or options["days"] < 1:
            raise CommandError("--visits and --days are at least 1.")
        if is_told(organization, seed=options["seed"]):
            self.stdout.write("This history is there already; nothing was added.")
            return
        tell(
            organization,
            visits=options["visits"],
            days=options["days"],
            seed=options["seed"],
            now=timezone.now(),
        )
        self.stdout.write(f"Added {options['visits']} visits of the last {options['days']} days.")
