from typing import Any

from django.core.management.base import BaseCommand

from core import reencryption


class Command(BaseCommand):
    help = "Seal everything encrypted under the newest of ENCRYPTION_KEYS, and say which keys are still in use."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reencryption.reencrypt()} values were sealed anew.")
        for key_id, count in sorted(reencryption.keys_in_use().items()):
            self.stdout.write(f"{count:>8}  {key_id}")
