"""Commands that change something: try them with --dry-run first."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from core.errors import ConnectorError


class ChangingCommand(BaseCommand):
    """Runs :meth:`change` in a transaction; ``--dry-run`` does everything and then takes it back."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept ``--dry-run``."""
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")

    def handle(self, *_: object, **options: Any) -> None:
        """Change, or pretend to; errors of the product become errors of the command."""
        try:
            with transaction.atomic():
                said = self.change(**options)
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except ConnectorError as error:
            raise CommandError(f"{error.user_message or error.detail} ({error.code})") from error
        self.stdout.write(f"{said}{' Nothing was changed: --dry-run.' if options['dry_run'] else ''}")

    def change(self, **options: Any) -> str:
        """Do the work and say in a sentence what was done."""
        raise NotImplementedError

    @property
    def actor(self) -> str:
        """Who acts, for the audit trail: the account on the server."""
        return f"command line, {os.environ.get('SUDO_USER') or os.environ.get('USER') or 'unknown account'}"
