"""Rotate key pairs from the command line."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from config_portal.management.base import ChangingCommand
from config_portal.management.finding import find_organization
from config_portal.models import Environment, Organization
from config_portal.services import rotation
from core.moments import in_utc


class Command(ChangingCommand):
    help = (
        "Publishes new keys for an organization. They are used by themselves once Epic has them, at most 29 hours "
        "later; the old ones are withdrawn a day after that. Run again to see where a rotation stands."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept organization and environment, and the emergency."""
        super().add_arguments(parser)
        parser.add_argument("organization", help="short name, such as lamna")
        parser.add_argument("environment", choices=Environment.values)
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="a private key leaked: use new keys at once and withdraw the old ones; "
            "Epic refuses the connector until it has fetched the new keys",
        )

    def change(self, **options: Any) -> str:
        """Start a rotation, or say where the one under way stands."""
        organization, environment = find_organization(options["organization"]), options["environment"]
        now = timezone.now()
        rotation.start_rotation(organization, environment=environment, actor=self.actor, now=now)
        if options["compromised"]:
            forced = {"environment": environment, "actor": self.actor, "now": now}
            rotation.switch_keys(organization, **forced, is_forced=True)
            count = rotation.revoke_replaced(organization, **forced)
            return f"New keys are in use and {count} old ones are withdrawn. Epic may refuse us for up to 29 hours."
        return _where(organization, environment)


def _where(organization: Organization, environment: str) -> str:
    keys = next(one for one in rotation.key_sets(organization) if one.environment == environment)
    until = in_utc(keys.switch_at) if keys.switch_at else "now"
    return f"New keys are published. They are used as soon as Epic has them, at {until} at the latest."
