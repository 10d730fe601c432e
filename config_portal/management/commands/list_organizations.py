"""List organizations from the command line."""

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count, Q

from config_portal.models import Environment, Organization

_HEAD = ("ORGANIZATION", "NAME", "TEST", "PRODUCTION", "ADDRESSES", "APPROVED")


class Command(BaseCommand):
    help = "Lists organizations with what they are authorized for and how many FHIR base URLs are approved."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept ``--json``."""
        parser.add_argument("--json", action="store_true", help="as JSON, for scripts")

    def handle(self, *_: object, **options: Any) -> None:
        """Print one organization a line."""
        rows = [_row(organization) for organization in _organizations()]
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        lines = [_HEAD, *(tuple(str(value or "-") for value in row.values()) for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _organizations() -> Any:
    approved = Count("endpoints", filter=Q(endpoints__approved_version__isnull=False))
    return Organization.objects.annotate(addresses=Count("endpoints"), approved=approved).order_by("slug")


def _row(organization: Any) -> dict[str, Any]:
    return {
        "organization": organization.slug,
        "name": organization.name,
        "test": _day(organization.authorized_at(Environment.TEST)),
        "production": _day(organization.authorized_at(Environment.PRODUCTION)),
        "addresses": organization.addresses,
        "approved": organization.approved,
    }


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None
