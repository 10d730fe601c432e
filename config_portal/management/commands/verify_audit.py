"""Verify the audit chains."""

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config_portal.models import Organization
from core import audit, audit_heads
from core.errors import InvalidMessage

Finding = dict[str, Any]


class Command(BaseCommand):
    help = (
        "Recomputes the audit chains and names the first event that was changed, removed or put in. With --heads it"
        " also compares them with heads exported earlier, which finds a chain that was rebuilt as a whole."
        " Exit status 0 only if everything holds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept which chains, exported heads, and how to print."""
        parser.add_argument("--organization", metavar="SLUG", help="only this organization's chain")
        parser.add_argument("--heads", type=Path, metavar="FILE", help="file that AUDIT_HEADS_PATH named")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *_: object, **options: Any) -> None:
        """Verify, print, and exit 1 when something does not hold."""
        names = _chains(options["organization"])
        findings = [_verify(name, organization_id) for organization_id, name in names.items()]
        lost = _compare(options["heads"], names) if options["heads"] else []
        is_intact = not lost and all(finding["intact"] for finding in findings)
        if options["json"]:
            self.stdout.write(json.dumps({"intact": is_intact, "chains": findings, "heads_not_found": lost}))
        else:
            self._print(findings, lost)
        if not is_intact:
            sys.exit(1)

    def _print(self, findings: list[Finding], lost: list[Finding]) -> None:
        for finding in findings:
            mark = self.style.SUCCESS("ok") if finding["intact"] else self.style.ERROR("BROKEN")
            broken = "" if finding["intact"] else f", event {finding['broken_at']} does not hold"
            self.stdout.write(f"{mark}  {finding['organization']}: {finding['checked']} events hold{broken}")
        for head in lost:
            self.stdout.write(
                f"{self.style.ERROR('BROKEN')}  {head['organization']}: event {head['sequence']} is not the one that"
                f" was exported at {head['at']}"
            )


def _chains(slug: str | None) -> dict[uuid.UUID, str]:
    """Return the chains to verify with their names; without a slug, all of them and the platform's own."""
    organizations = Organization.objects.filter(slug=slug) if slug else Organization.objects.all()
    names = {organization.pk: organization.slug for organization in organizations}
    if slug and not names:
        raise CommandError(f"There is no organization with the slug {slug!r}; list_organizations names them")
    return names if slug else {audit.PLATFORM: "platform", **names}


def _verify(name: str, organization_id: uuid.UUID) -> Finding:
    report = audit.verify(organization_id, now=timezone.now())
    return {
        "organization": name,
        "checked": report.checked,
        "intact": report.is_intact,
        "broken_at": report.broken_at,
    }


def _compare(path: Path, names: dict[uuid.UUID, str]) -> list[Finding]:
    """Return the exported heads of these chains that are not in the database any more."""
    try:
        with path.open(encoding="utf-8") as lines:
            heads = [head for head in audit_heads.read(lines) if uuid.UUID(head.organization) in names]
    except (OSError, UnicodeDecodeError, InvalidMessage) as error:
        raise CommandError(f"{path} cannot be read: {getattr(error, 'user_message', error)}") from error
    return [
        {"organization": names[uuid.UUID(head.organization)], "sequence": head.sequence, "at": head.at}
        for head in heads
        if not head.holds
    ]
