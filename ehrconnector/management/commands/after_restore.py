"""Make a restored database safe to run on."""

import sys

from django.core.management.base import BaseCommand
from django.utils import timezone

from core import restoring


class Command(BaseCommand):
    help = (
        "Run once after a dump was restored, before any process starts: verifies the audit chains and settles what"
        " was due when the dump was made, so that nothing is sent twice. Exit status 1 if a chain does not hold."
    )

    def handle(self, *_: object, **__: object) -> None:
        """Settle, print, and exit 1 when an audit chain is broken."""
        restored = restoring.after_restore(now=timezone.now())
        for name, count in restored.settled.items():
            self.stdout.write(f"{name}: {count} will not be sent any more")
        for organization, report in restored.chains.items():
            state = f"{report.checked} events hold" if report.is_intact else f"broken at event {report.broken_at}"
            self.stdout.write(f"audit chain {organization}: {state}")
        if not restored.is_whole:
            self.stderr.write(self.style.ERROR("An audit chain does not hold. Keep this dump and report it."))
            sys.exit(1)
