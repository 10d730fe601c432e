from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core import retention


class Command(BaseCommand):
    help = "Look now whether any telephone number is kept longer than an hour after its visit; fail if one is."

    def handle(self, *args: Any, **options: Any) -> None:
        found = retention.report(now=timezone.now())
        for name, count in found.items():
            self.stdout.write(f"{count:>8}  {name}")
        if any(found.values()):
            raise CommandError("Something is kept too long: does the worker run?")
