"""The pre-flight check on the command line."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal import doctor
from config_portal.management.finding import find_endpoint
from config_portal.models import FhirEndpoint, PreflightRun
from config_portal.services.preflight import carry_out, claim_own, request_preflight
from core.errors import ConfigurationError

_MARKS = {"passed": "ok     ", "failed": "FAILED ", "skipped": "skipped"}


class Command(BaseCommand):
    help = "Runs the pre-flight check of a FHIR endpoint's draft. Exit status: 0 when everything passed, else 1."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the endpoint, the output format and what can be pasted on the page."""
        parser.add_argument("--endpoint", required=True, help="organization/endpoint, such as lamna/lamna-test")
        parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
        for known in doctor.inputs():
            parser.add_argument(f"--{known.name.replace('_', '-')}", dest=known.name, default="", help=known.label)

    def handle(self, *_: object, **options: Any) -> None:
        """Print each line as it comes, or all as JSON at the end."""
        run = _claimed(find_endpoint(options["endpoint"]), _inputs(options))
        for news in carry_out(run, clock=timezone.now):
            if news.result is not None and not options["json"]:
                self._say(news.check.title, news.result)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(run), indent=2))
        else:
            self.stdout.write(f"\n{run.passed} passed, {run.failed} failed")
        if run.failed:
            raise SystemExit(1)

    def _say(self, title: str, result: doctor.CheckResult) -> None:
        self.stdout.write(f"{_MARKS[result.outcome]}  {title}: {result.cause}")
        if result.who:
            self.stdout.write(f"         {result.who}: {result.todo}".replace("\n", "\n         "))
        self.stdout.flush()


def _inputs(options: dict[str, Any]) -> dict[str, str]:
    given = {}
    for known in doctor.inputs():
        text = options[known.name].strip()
        try:
            given[known.name] = known.clean(text) if text else ""
        except ConfigurationError as error:
            raise CommandError(error.user_message) from error
    return given


def _claimed(endpoint: FhirEndpoint, inputs: dict[str, str]) -> PreflightRun:
    now = timezone.now()
    actor = f"command line, {os.environ.get('USER') or 'unknown account'}"
    run = claim_own(request_preflight(endpoint, inputs=inputs, actor=actor, now=now), now=now)
    if run is None:
        raise CommandError("A check of this endpoint is under way; its page shows it. Try again when it has ended.")
    return run


def _as_json(run: PreflightRun) -> dict[str, Any]:
    lines = run.lines.order_by("position").values("name", "title", "state", "cause", "who", "todo", "code")
    return {
        "endpoint": f"{run.endpoint.organization.slug}/{run.endpoint.name}",
        "environment": run.endpoint.environment,
        "passed": run.passed,
        "failed": run.failed,
        "checks": list(lines),
    }
