"""Create an organization from the command line."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from config_portal.management.base import ChangingCommand
from config_portal.models import Region
from config_portal.services.organizations import create_organization


class Command(ChangingCommand):
    help = "Creates an organization. It may use nothing before authorize_organization."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept what an access request states."""
        super().add_arguments(parser)
        parser.add_argument("slug", help="short name, such as lamna; stands in file names and commands")
        parser.add_argument("--name", required=True, help="as patients know it, such as 'Lamna Healthcare'")
        parser.add_argument("--tenant-id", required=True, type=UUID, help="Entra tenant id")
        parser.add_argument("--region", choices=Region.values, default="", help="default: this installation's")
        parser.add_argument("--country", default="US", help="two letters; default US")
        parser.add_argument("--time-zone", default="America/Chicago", help="IANA name; default America/Chicago")
        parser.add_argument("--contact-name", default="", help="Epic technical contact")
        parser.add_argument("--contact-email", default="", help="e-mail address of the contact")

    def change(self, **options: Any) -> str:
        """Create the organization and let the staff of its tenant in."""
        organization = create_organization(
            slug=options["slug"],
            tenant_id=options["tenant_id"],
            region=options["region"],
            values={
                "name": options["name"],
                "country": options["country"],
                "time_zone": options["time_zone"],
                "epic_contact_name": options["contact_name"],
                "epic_contact_email": options["contact_email"],
            },
            actor=self.actor,
        )
        return f"{organization.name} is created as {organization.slug}."
