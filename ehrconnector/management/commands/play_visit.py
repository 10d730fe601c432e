"""Play one whole visit and say whether everything really happened."""

import json
import os
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ehrconnector.visit_player.ending import Ending
from ehrconnector.visit_player.script import Stage, StepFailed, expect, play
from ehrconnector.visit_player.twin import Twin

REPORT_SECONDS = 10
_PAUSE = threading.Event()

Step = dict[str, Any]


class Command(BaseCommand):
    help = (
        "Plays one whole visit against a running connector and sandbox: books it in Epic, reads the text, launches,"
        " joins, leaves. Exit status 0 only if the sandbox's own ledger confirms every step."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept where the sandbox is and how to print."""
        parser.add_argument("--sandbox", default=os.environ.get("SANDBOX_URL", ""), help="address of the sandbox")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
        parser.add_argument("--until", default="", metavar="STEP", help="stop behind the step of this name")
        parser.add_argument("--starts-in", type=int, default=20, metavar="MINUTES", help="start of the visit from now")

    def handle(self, *_: object, **options: Any) -> None:
        """Play, print, and exit 1 with the failing step named."""
        if not options["sandbox"]:
            raise CommandError("--sandbox is needed, or the variable SANDBOX_URL")
        stage = Stage(
            twin=Twin(options["sandbox"]),
            public_url=settings.PUBLIC_URL,
            starts_in_minutes=options["starts_in"],
            external_id_of=lambda csn: Ending.of(csn).meeting_external_id,
        )
        self._is_json = options["json"]
        steps, failure = self._play(stage, last=options["until"])
        ending = _ending(stage, failure)
        self._print(stage, steps, failure, ending)
        if failure:
            sys.exit(1)

    def _play(self, stage: Stage, *, last: str) -> tuple[list[Step], str]:
        steps: list[Step] = []
        started = time.monotonic()
        try:
            for name, seen in play(stage):
                self._note(steps, name, seen, started)
                started = time.monotonic()
                if name == last:
                    return steps, ""
            self._note(steps, "The visit is in the report", _check_report(stage), started)
        except StepFailed as error:
            return steps, str(error)
        return steps, ""

    def _note(self, steps: list[Step], name: str, seen: str, started: float) -> None:
        seconds = round(time.monotonic() - started, 3)
        steps.append({"name": name, "seconds": seconds, "seen": seen})
        if not self._is_json:
            self.stdout.write(f"  {self.style.SUCCESS('ok')}  {name:<32} {seconds:6.2f} s  {seen}")
            self.stdout.flush()

    def _print(self, stage: Stage, steps: list[Step], failure: str, ending: Ending | None) -> None:
        lines = ending.lines() if ending else []
        if self._is_json:
            self.stdout.write(
                json.dumps(
                    {
                        "csn": stage.csn,
                        "reference": ending.visit.reference if ending else "",
                        "confirmed": not failure,
                        "failure": failure,
                        "steps": steps,
                        "timeline": lines,
                    }
                )
            )
            return
        if ending:
            self.stdout.write(f"\nTimeline of visit {ending.visit.session_id} ({ending.visit.time_zone})")
        for line in lines:
            self.stdout.write(f"  {line['time']:<14} {line['what']:<62} {line['outcome']}".rstrip())
        if failure:
            self.stdout.write(self.style.ERROR(f"\nFailed: {failure}"))


def _check_report(stage: Stage) -> str:
    """Wait until the report says what happened: Epic's last answer is recorded a moment after Epic gave it."""
    deadline = time.monotonic() + REPORT_SECONDS
    while True:
        try:
            return _read_report(stage)
        except StepFailed:
            if time.monotonic() > deadline:
                raise
            _PAUSE.wait(0.1)


def _read_report(stage: Stage) -> str:
    try:
        ending = Ending.of(stage.csn)
    except LookupError as error:
        raise StepFailed(f"The visit is in the report: {error}") from error
    row = ending.row
    expect(row.status == "Completed", f"The visit is in the report: as completed, got {row.status}")
    expect(row.told == "4 / 4", f"The visit is in the report: 4 of 4 told to Epic, got {row.told}")
    expect(ending.has_reminder, "The visit is in the report: a reminder planned")
    return f"completed, together for {row.duration}, lobby wait {row.lobby_wait}, told to Epic {row.told}"


def _ending(stage: Stage, failure: str) -> Ending | None:
    if not stage.csn:
        return None
    try:
        return Ending.of(stage.csn)
    except LookupError:
        if failure:
            return None
        raise
