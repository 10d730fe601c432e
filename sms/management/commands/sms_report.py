import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.models import Organization
from sms.services.reporting import SmsReport, sms_report


class Command(BaseCommand):
    help = "Print how the texts of the last days ended, by supplier, state and reason, and how late they were sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="short name; all without it")
        parser.add_argument("--days", type=int, default=7)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = Organization.objects.all()
        if options["organization"]:
            organizations = organizations.filter(slug=options["organization"])
        if not organizations:
            raise CommandError("There is no such organization.")
        until = timezone.now()
        since = until - timedelta(days=options["days"])
        reports = [sms_report(organization, since=since, until=until) for organization in organizations]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports], indent=2))
            return
        for report in reports:
            self._print(report)

    def _print(self, report: SmsReport) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(report.organization))
        for line in report.lines:
            reason = line.status or line.code
            self.stdout.write(f"  {line.texts:>8}  {line.supplier or '-':<7} {line.state:<12} {reason}")
        if not report.lines:
            self.stdout.write("  no texts")
        if report.late_p50 is not None and report.late_p99 is not None:
            self.stdout.write(f"  sent late by {report.late_p50:.1f} s (median), {report.late_p99:.1f} s (99 of 100)")
