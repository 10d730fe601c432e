"""Open an environment to an organization from the command line."""

from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from config_portal.management.base import ChangingCommand
from config_portal.management.finding import find_organization
from config_portal.models import Environment
from config_portal.services.organizations import authorize_organization, record_subscription


class Command(ChangingCommand):
    help = (
        "Authorizes an organization for test, and later for production, and makes its keys. "
        "Production needs a current subscription, which can be recorded in the same go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept organization, environment and subscription."""
        super().add_arguments(parser)
        parser.add_argument("organization", help="short name, such as lamna")
        parser.add_argument("environment", choices=Environment.values)
        parser.add_argument("--subscription", metavar="REFERENCE", help="order or contract number to record")
        parser.add_argument("--starts-on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="default: today")
        parser.add_argument("--ends-on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="last day; default: open")

    def change(self, **options: Any) -> str:
        """Record the subscription if there is one, then authorize."""
        organization, now = find_organization(options["organization"]), timezone.now()
        if options["subscription"]:
            record_subscription(
                organization,
                reference=options["subscription"],
                starts_on=options["starts_on"] or now.date(),
                ends_on=options["ends_on"],
                actor=self.actor,
            )
        elif options["starts_on"] or options["ends_on"]:
            raise CommandError("--starts-on and --ends-on belong to a --subscription.")
        environment = options["environment"]
        is_new = authorize_organization(organization, environment=environment, actor=self.actor, now=now)
        if not is_new:
            return f"{organization.name} was authorized for {environment} before."
        return f"{organization.name} is authorized for {environment}; its keys are published."
