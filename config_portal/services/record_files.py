"""Integration records as files, with the same values byte for byte in each."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from config_portal.models import FhirEndpoint
from config_portal.records import IntegrationRecord
from core.spreadsheet import csv_lines

COLUMNS = ("record", "field", "value", "note")


def as_text(endpoint: FhirEndpoint, records: Sequence[IntegrationRecord], *, now: datetime) -> str:
    """Return the records as text: ``name: value``, a line each."""
    lines = [_heading(endpoint), f"Made {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC", ""]
    for record in records:
        lines += [record.title, "-" * len(record.title)]
        lines += [f"{field.name}: {field.value}" for field in record.fields]
        lines.append("")
    return "\n".join(lines)


def as_csv(records: Sequence[IntegrationRecord]) -> str:
    """Return a row for each field."""
    rows = ((record.title, field.name, field.value, field.note) for record in records for field in record.fields)
    return "".join(csv_lines(COLUMNS, rows))


def as_json(endpoint: FhirEndpoint, records: Sequence[IntegrationRecord], *, now: datetime) -> str:
    """Return the records by kind, with what they belong to."""
    return json.dumps(content(endpoint, records, now=now), indent=2, ensure_ascii=False) + "\n"


def content(endpoint: FhirEndpoint, records: Sequence[IntegrationRecord], *, now: datetime) -> dict[str, object]:
    """Return the records as JSON values; the REST API answers the same."""
    version = endpoint.approved_version
    return {
        "organization": endpoint.organization.name,
        "endpoint": endpoint.name,
        "environment": endpoint.environment,
        "base_url": version.snapshot["endpoint"]["base_url"] if version else endpoint.base_url,
        "version": version.number if version else None,
        "digest": version.digest if version else None,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "records": [
            {
                "kind": record.kind,
                "title": record.title,
                "purpose": record.purpose,
                "fields": [{"name": field.name, "value": field.value, "note": field.note} for field in record.fields],
            }
            for record in records
        ],
    }


def _heading(endpoint: FhirEndpoint) -> str:
    version = endpoint.approved_version
    number = f"version {version.number}" if version else "not approved yet"
    return f"{endpoint.get_environment_display().upper()} - {endpoint.organization.name} - {endpoint.name} - {number}"
