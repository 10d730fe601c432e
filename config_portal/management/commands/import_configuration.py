"""Read an organization's configuration from JSON."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from config_portal.management.base import ChangingCommand
from config_portal.services.portable import MOST_BYTES, import_configuration


class Command(ChangingCommand):
    help = (
        "Reads what export_configuration wrote: creates the organization if need be and brings its draft to the file. "
        "Nothing is authorized or approved by it; what the file does not name stays as it is. Phone numbers and sender "
        "certificates of the file are taken over at once; passwords, secrets and consents are in no file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the file."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)

    def change(self, **options: Any) -> str:
        """Bring the draft to the file and name what changed."""
        try:
            with options["file"].open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        changed = import_configuration(data, actor=self.actor, now=timezone.now())
        return f"Changed: {', '.join(changed)}." if changed else "Everything is as in the file already."
