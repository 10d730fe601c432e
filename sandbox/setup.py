"""What was typed into the twin: clients, records, secrets and where the connector listens."""

from typing import Any

from django.db import transaction

from sandbox.models import Setup

Values = dict[str, Any]
ENVIRONMENTS = ("test", "production")


def current() -> Values:
    """Return everything that was typed in; empty at first."""
    stored = Setup.objects.filter(pk=1).first()
    return dict(stored.data) if stored else {}


@transaction.atomic
def apply(body: Values) -> None:
    """Take ``body`` over; what it does not mention stays. Epic's clients are added to those that are known.

    :raises LookupError: when a part of it lacks a name or names an unknown environment.
    """
    Setup.objects.get_or_create(pk=1)
    stored = Setup.objects.select_for_update().get(pk=1)
    epic = _merge_epic(stored.data.get("epic", []), body.get("epic", []))
    stored.data = {**stored.data, **body, "epic": epic}
    stored.save()


def client(environment: str, client_id: str) -> Values | None:
    """Return one of Epic's OAuth clients."""
    return next((found for found in _of(environment)["clients"] if found["client_id"] == client_id), None)


def record(environment: str, kind: str) -> Values | None:
    """Return the FDI record of a kind, the one typed in last."""
    return next((found for found in reversed(_of(environment)["records"]) if found["kind"] == kind), None)


def entra_app(client_id: str) -> Values | None:
    """Return one of Entra's app registrations."""
    apps = current().get("entra", {}).get("apps", [])
    return next((app for app in apps if app["client_id"] == client_id), None)


def _of(environment: str) -> Values:
    found = (epic for epic in current().get("epic", []) if epic["environment"] == environment)
    return next(found, {"clients": [], "records": []})


def _merge_epic(known: list[Values], given: list[Values]) -> list[Values]:
    merged = {epic["environment"]: epic for epic in known}
    for epic in given:
        if epic["environment"] not in ENVIRONMENTS:
            raise LookupError(f"environment: {' or '.join(ENVIRONMENTS)}")
        before = merged.get(epic["environment"], {"clients": [], "records": []})
        clients = {client["client_id"]: client for client in [*before["clients"], *epic.get("clients", [])]}
        records = {record["kind"]: record for record in [*before["records"], *epic.get("records", [])]}
        merged[epic["environment"]] = {
            "environment": epic["environment"],
            "clients": list(clients.values()),
            "records": list(records.values()),
        }
    return list(merged.values())
