"""How Graph writes times."""

from datetime import UTC, datetime

from sandbox.graph.errors import bad_request


def graph_time(moment: datetime) -> str:
    """Return ``moment`` as Graph writes it: UTC, seven decimals, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def read_time(value: object, *, name: str) -> datetime:
    """Return the moment in ``value``; without an offset it is UTC.

    :raises GraphError: 400 when it is no ISO 8601 date and time.
    """
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise bad_request(f"Cannot convert the value of '{name}' to Edm.DateTimeOffset.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
