"""Explain message files before anything is sent."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.management.finding import find_endpoint
from hl7intake.explaining import explain
from hl7intake.files import split_messages
from hl7intake.rules import Rules
from hl7intake.services.senders import rules_for
from hl7intake.validation import second_opinion


class Command(BaseCommand):
    help = "Prints how HL7 messages are understood and what would happen; exit status 1 on any refusal."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the files and whose rules apply."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--endpoint", default="", help="whose approved rules apply: organization/name")
        parser.add_argument("--time-zone", default="America/Chicago", help="without --endpoint: the sender's zone")
        parser.add_argument("--region", default="US", help="without --endpoint: country of local numbers")

    def handle(self, *_: object, **options: Any) -> None:
        """Explain every message."""
        rules = _rules(options)
        refused = 0
        for path in options["files"]:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}") from error
            refused += sum(not self._explain(path.name, raw, rules) for raw in split_messages(data) or [data])
        if refused:
            raise CommandError(f"{refused} would be refused.")

    def _explain(self, name: str, raw: bytes, rules: Rules) -> bool:
        explanation = explain(raw, rules=rules, now=timezone.now())
        self.stdout.write(name)
        for label, text in explanation.lines:
            self.stdout.write(f"  {label:<12} {text}")
        self.stdout.write(f"  {'hl7apy':<12} {second_opinion(raw.decode('utf-8', 'replace'))}")
        for field in (field for segment in explanation.segments for field in segment.fields):
            self.stdout.write(f"  {field.place:<8} {field.name:<36} {field.value:<34} {field.use}")
        self.stdout.write(f"  {'Outcome':<12} {explanation.outcome}\n")
        return not explanation.is_refused


def _rules(options: dict[str, Any]) -> Rules:
    if options["endpoint"]:
        rules = rules_for(find_endpoint(options["endpoint"]))
        if rules is None:
            raise CommandError("Nothing is approved for this endpoint yet.")
        return rules
    try:
        return Rules(zone=ZoneInfo(options["time_zone"]), region=options["region"].upper())
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CommandError(f"{options['time_zone']} is no time zone.") from error
