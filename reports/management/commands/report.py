from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.models import Organization
from core.spreadsheet import csv_lines
from reports.definitions import COUNTED
from reports.models import Export
from reports.presenters.columns import clock
from reports.presenters.files import header_of, rows_of
from reports.presenters.meanings import STATUSES
from reports.services import refreshing
from reports.services.asked import LONGEST_DAYS, Asked, recent
from reports.services.figures import By, Figures, Measure, figures, total


class Command(BaseCommand):
    help = "Print a report of the last days, as the portal shows it: usage (virtual appointments by day)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=["usage"])
        parser.add_argument("--organization", default="", help="short name; may be left out where there is only one")
        parser.add_argument("--days", type=int, default=30)
        parser.add_argument("--csv", action="store_true", help="print every visit as CSV instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= LONGEST_DAYS:
            raise CommandError(f"--days is between 1 and {LONGEST_DAYS}.")
        now = timezone.now()
        refreshing.refresh(now=now)
        organization = _organization(options["organization"])
        asked = Asked(organization=organization, period=recent(organization, days=options["days"], now=now))
        if options["csv"]:
            subject = Export.Subject.VISITS
            for line in csv_lines(header_of(subject, []), rows_of(subject, asked, [], names_visits=False)):
                self.stdout.write(line, ending="")
            return
        self._print(asked)

    def _print(self, asked: Asked) -> None:
        by_day = figures(asked, By.DAY, with_sketches=True)
        whole = total(by_day.values())
        zone = asked.zone.key
        self.stdout.write(self.style.MIGRATE_HEADING(f"{asked.organization.name}, days in {zone}"))
        for status in COUNTED:
            self.stdout.write(f"  {whole.by_status[status]:>8,}  {STATUSES[status][0]}")
        self.stdout.write(f"  {whole.visits:>8,}  visits")
        for label, value in _lengths(whole):
            self.stdout.write(f"  {clock(value):>8}  {label}")
        self.stdout.write("")
        self.stdout.write(f"  {'day':<10}  {'visits':>7}  {'completed':>9}  {'duration':>8}  {'lobby wait':>10}")
        for day in asked.period.days:
            self._print_day(day, by_day.get(day, Figures()))

    def _print_day(self, day: date, found: Figures) -> None:
        duration, wait = clock(found.average_duration), clock(found.average_lobby_wait)
        self.stdout.write(f"  {day}  {found.visits:>7,}  {found.completed:>9,}  {duration:>8}  {wait:>10}")


def _lengths(whole: Figures) -> list[tuple[str, float | None]]:
    return [
        ("average duration", whole.average_duration),
        ("median duration", whole.percentile(Measure.DURATION, 0.5)),
        ("duration, p90", whole.percentile(Measure.DURATION, 0.9)),
        ("average lobby wait", whole.average_lobby_wait),
        ("median own wait", whole.percentile(Measure.OWN_WAIT, 0.5)),
    ]


def _organization(slug: str) -> Organization:
    found = list(Organization.objects.filter(slug=slug) if slug else Organization.objects.all()[:2])
    if len(found) != 1:
        raise CommandError("There is no such organization." if slug else "Name one with --organization.")
    return found[0]
