"""Hold what Epic was told against what happened, now."""

from datetime import datetime, timedelta
from functools import partial

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from meetings.models import Meeting
from meetings.services import reconciling
from writeback.services import ledger


class Command(BaseCommand):
    help = (
        "Reads the attendance reports of visits that ended anew, compares them with what Epic was told, sends what"
        " is wrong again and prints every difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the period, or one visit."""
        parser.add_argument("--days", type=int, default=2, help="visits that ended within this many days")
        parser.add_argument("--visit", default="", metavar="REFERENCE", help="one visit, by its reference number")
        parser.add_argument("--no-reports", action="store_true", help="compare without asking Teams again")

    def handle(self, *_: object, **options: object) -> None:
        """Reconcile and print."""
        now = timezone.now()
        chosen = partial(_chosen, str(options["visit"]).upper(), days=int(str(options["days"])), now=now)
        meetings = chosen()
        if not options["no_reports"]:
            for meeting in meetings:
                reconciling.reconcile(meeting, now=timezone.now())
            meetings = chosen()
        for one in ledger.differences(meetings, now=now):
            who = one.participant.label if one.participant else "meeting"
            line = f"{one.meeting.visit.reference}  {one.at:%Y-%m-%d %H:%M:%S}  {one.gap}  {who} {one.kind} {one.state}"
            self.stdout.write(line.rstrip())
        counts = ledger.reconcile(meetings, actor="command", now=now)
        listed = ", ".join(f"{count} {gap}" for gap, count in sorted(counts.items())) or "no differences"
        self.stdout.write(f"{len(meetings)} visits compared: {listed}.")


def _chosen(reference: str, *, days: int, now: datetime) -> list[Meeting]:
    if reference:
        return ledger.meetings_of_visit(reference)
    return ledger.ended_meetings(None, since=now - timedelta(days=days), until=now)
