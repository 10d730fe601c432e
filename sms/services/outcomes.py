"""What follows from a supplier's answer that is no acceptance, or from a report of a text that did not arrive."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.errors import ConfigurationError, ConnectorError, OutcomeUnknown, UpstreamUnavailable
from core.models import backoff
from sms.models import SmsMessage
from sms.providers.base import Fault, Reason, TextRefused
from sms.services.health import Outcome

State = SmsMessage.State

TRIES_BEFORE_SECOND_WAY = 2
# Longer than a call can last, so that whatever became of it has become of it.
SETTLE_AFTER = timedelta(seconds=45)
REFUSED_PAUSE = timedelta(minutes=1)
HANDSET_PAUSE = timedelta(minutes=20)

# Failures of a report after which the second number may do better, or the same one later.
_SECOND_WAY_HELPS = {Fault.UNREACHABLE, Fault.FILTERED, Fault.DAY_CAP, Fault.ACCOUNT, Fault.BUSY}
_THROTTLED = {"acs.throttled", "twilio.throttled"}


@dataclass(frozen=True, kw_only=True)
class Next:
    """How a text goes on: its next state, and when if it is to be tried again."""

    state: str
    due_at: datetime | None = None
    values: dict[str, Any] = field(default_factory=dict)
    is_attempt: bool = True
    is_opt_out: bool = False


def after_error(message: SmsMessage, error: ConnectorError, *, has_second_way: bool, now: datetime) -> Next:
    """Return what becomes of a text whose call ended in ``error``."""
    if isinstance(error, OutcomeUnknown):
        return Next(state=State.UNKNOWN, values={"check_at": now + SETTLE_AFTER, "finished_at": None})
    can_switch = has_second_way and message.route != SmsMessage.SECOND_ROUTE
    if isinstance(error, ConfigurationError):
        return _switch(now) if can_switch else _again(now + REFUSED_PAUSE, is_attempt=False)
    if isinstance(error, UpstreamUnavailable):
        return _after_unavailable(message, error, can_switch=can_switch, now=now)
    return _after_refusal(error, can_switch=can_switch, now=now)


def after_report(message: SmsMessage, *, fault: Fault, has_second_way: bool, now: datetime) -> Next | None:
    """Return how a text that did not arrive goes on, or None when there is nothing left to try."""
    if now >= message.expires_at or fault not in _SECOND_WAY_HELPS:
        return None
    if has_second_way and message.route == SmsMessage.FIRST_ROUTE:
        return _switch(now)
    if fault == Fault.UNREACHABLE and message.route == SmsMessage.FIRST_ROUTE:
        later = now + HANDSET_PAUSE
        return _anew(later, route=SmsMessage.FIRST_AGAIN) if later < message.expires_at else None
    return None


def health_of(error: ConnectorError | None, *, supplier: str, number_id: UUID) -> Outcome | None:
    """Return what a call that ended so says about the way it went; None when it says nothing."""
    if error is None or (isinstance(error, TextRefused) and error.fault in {Fault.PERMANENT, Fault.OPTED_OUT}):
        return Outcome(supplier=supplier, number_id=number_id, is_good=True)
    if error.code in _THROTTLED or isinstance(error, TextRefused):
        return None
    return Outcome(
        supplier=supplier,
        number_id=number_id,
        is_good=False,
        is_refusal=isinstance(error, ConfigurationError),
        is_about_number=error.code == "twilio.number_refused",
        reason=error.code,
    )


def _after_unavailable(message: SmsMessage, error: UpstreamUnavailable, *, can_switch: bool, now: datetime) -> Next:
    is_throttled = error.code in _THROTTLED
    if can_switch and not is_throttled and message.attempts >= TRIES_BEFORE_SECOND_WAY:
        return _switch(now)
    # However often: nothing was taken, and a text that is of no use any more ends by its own time.
    wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else backoff(message.attempts)
    return _again(now + wait, is_attempt=not is_throttled)


def _after_refusal(error: ConnectorError, *, can_switch: bool, now: datetime) -> Next:
    fault = error.fault if isinstance(error, TextRefused) else Fault.PERMANENT
    reason = error.reason if isinstance(error, TextRefused) else Reason.OTHER_ERROR
    code = error.supplier_code if isinstance(error, TextRefused) else ""
    values = {"report_status": reason, "supplier_code": code}
    if fault == Fault.OPTED_OUT:
        return Next(state=State.SUPPRESSED, values=values, is_opt_out=True)
    if can_switch and fault in _SECOND_WAY_HELPS:
        return _switch(now)
    return Next(state=State.FAILED, values=values)


def _switch(now: datetime) -> Next:
    return _anew(now, route=SmsMessage.SECOND_ROUTE)


def _anew(due_at: datetime, *, route: int) -> Next:
    """Begin again another way: to the supplier it is another text, under another key."""
    return _again(due_at, route=route, first_sent_at=None, attempts=0, supplier_message_id="", finished_at=None)


def _again(due_at: datetime, *, is_attempt: bool = True, **values: Any) -> Next:
    return Next(state=State.PENDING, due_at=due_at, values=values, is_attempt=is_attempt)
