"""The circuit breaker: an Epic that fails is left in peace, and asked now and then whether it is back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from config_portal.models import FhirEndpoint
from core.errors import ConnectorError, UpstreamRejected, UpstreamUnavailable
from writeback.models import Circuit, WritebackEvent

OPENS_AFTER = 5  # failures in a row
TRIES_EVERY = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=5)
FRESH = timedelta(seconds=5)  # how exactly it is known when Epic last accepted something


def circuit_of(endpoint: FhirEndpoint) -> Circuit:
    """Return the circuit of ``endpoint``."""
    circuit, _ = Circuit.objects.get_or_create(endpoint=endpoint)
    return circuit


def note(circuit: Circuit, errors: Sequence[ConnectorError | None], *, now: datetime) -> None:
    """Take note of how calls ended, in any order; None stands for one that Epic accepted.

    A refusal says that Epic is there, so one answer of any kind closes the circuit. It opens after several
    failures in a row, or when Epic asks to be left in peace.
    """
    failures = [error for error in errors if error is not None and not isinstance(error, UpstreamRejected)]
    answers = [error for error in errors if error is None or isinstance(error, UpstreamRejected)]
    if answers:
        _close(circuit, now=now, is_accepted=None in answers)
    for error in failures:
        circuit.failures += 1
        circuit.error_code = error.code
        rest = error.retry_after if isinstance(error, UpstreamUnavailable) else None
        if rest is not None:
            _open(circuit, now=now, rest=min(timedelta(seconds=rest), LONGEST_REST))
        elif circuit.is_open or circuit.failures >= OPENS_AFTER:
            _open(circuit, now=now, rest=TRIES_EVERY)
    if failures:
        circuit.save()


def _close(circuit: Circuit, *, now: datetime, is_accepted: bool) -> None:
    """Close the circuit; after an outage everything that waits for its next attempt becomes due."""
    was_troubled = circuit.is_open or circuit.failures > 0
    if was_troubled:
        waiting = WritebackEvent.objects.filter(endpoint=circuit.endpoint_id, state=WritebackEvent.State.PENDING)
        waiting.filter(due_at__gt=now).update(due_at=now)
    circuit.failures, circuit.opened_at, circuit.retry_at, circuit.error_code = 0, None, None, ""
    is_news = circuit.accepted_at is None or now - circuit.accepted_at > FRESH
    if is_accepted and is_news:
        circuit.accepted_at = now
    if was_troubled or (is_accepted and is_news):
        circuit.save()


def _open(circuit: Circuit, *, now: datetime, rest: timedelta) -> None:
    circuit.opened_at = circuit.opened_at or now
    circuit.retry_at = now + rest
