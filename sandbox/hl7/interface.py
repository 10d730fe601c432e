"""Epic's outgoing interface: sends, waits for the acknowledgement, and sends again until there is one.

Messages of one appointment go out in the order in which they were written, each only after the one before
it was acknowledged; what was not acknowledged is sent again with the same control id.
"""

import secrets
import threading
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from sandbox import faults, ledger, setup
from sandbox.courier import Courier, Policy
from sandbox.hl7 import compose, mllp
from sandbox.models import Appointment, OutgoingMessage

_FIRST_CONTROL_ID = 700_000_000
_DAY = timedelta(days=1)
_POLICY = Policy(tries=10_000, age_seconds=_DAY.total_seconds())
# A listener that does not answer is waited for by the line, and no longer than this by the person in front of Epic.
_LONGEST_WAIT_SECONDS = mllp.SECONDS + 2
# No acknowledgement yet, or one that asks for the same message later.
_OPEN_CODES = ("", "AE", "CE")

# A line of its own: a listener that hangs holds up no delivery of the other twins.
_line = Courier(workers=4)


def announce(appointment: Appointment, trigger: str, *, now: datetime) -> OutgoingMessage:
    """Send the message about what just happened to ``appointment``; return it with its acknowledgement, if any.

    Behind a message that still waits for its acknowledgement, this one waits too, and nobody for it.
    """
    control_id = str(_FIRST_CONTROL_ID + secrets.randbelow(99_999_999))
    body = compose.siu(appointment, trigger=trigger, control_id=control_id, now=now)
    is_blocked = appointment.messages.filter(ack_code__in=_OPEN_CODES).exists()
    message = OutgoingMessage.objects.create(control_id=control_id, appointment=appointment, trigger=trigger, body=body)
    was_tried = threading.Event()
    _queue(appointment.csn, was_tried)
    if not is_blocked:
        was_tried.wait(_LONGEST_WAIT_SECONDS)
    message.refresh_from_db()
    return message


def resume() -> None:
    """Take up again what was not acknowledged when the process ended."""
    _line.send("hl7", _resume, policy=Policy(tries=3, age_seconds=60))


def _resume() -> bool:
    waiting = OutgoingMessage.objects.filter(ack_code__in=_OPEN_CODES, created_at__gt=timezone.now() - _DAY)
    for csn in waiting.values_list("appointment_id", flat=True).distinct():
        _queue(csn, threading.Event())
    return True


def _queue(csn: str, was_tried: threading.Event) -> None:
    def deliver() -> bool:
        try:
            return _send_waiting(csn)
        finally:
            was_tried.set()

    _line.send(f"hl7:{csn}", deliver, policy=_POLICY)


def _send_waiting(csn: str) -> bool:
    """Send what waits for an appointment, oldest first; False when one was not taken and the rest waits."""
    if not _target():
        return True  # there is no interface yet; the next change of the visit finds what waits
    waiting = OutgoingMessage.objects.filter(appointment_id=csn, ack_code__in=_OPEN_CODES)
    return all(_try(message, csn=csn) for message in waiting.order_by("created_at", "pk"))


def _target() -> dict[str, Any]:
    """Return host and port of the listener that was typed in, or nothing."""
    target: dict[str, Any] = setup.current().get("hl7") or {}
    return target


def _try(message: OutgoingMessage, *, csn: str) -> bool:
    """Send the message once; True when it was acknowledged, well or badly."""
    target, control_id = _target(), message.control_id
    ledger.record("hl7", "sent", key=csn, control_id=control_id, trigger=message.trigger, message=message.body)
    try:
        answer = mllp.send(
            message.body,
            control_id=control_id,
            host=str(target.get("host", "127.0.0.1")),
            port=int(target.get("port", 0)),
        )
    except OSError as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        ledger.record("hl7", "unanswered", key=csn, control_id=control_id, reason=reason)
        return False
    ledger.record("hl7", "acked", key=csn, control_id=control_id, code=answer.code, text=answer.text)
    if faults.get("hl7.ack") == "lost":
        return False
    message.ack_code, message.ack_text = answer.code, answer.text[:300]
    message.save(update_fields=["ack_code", "ack_text"])
    return answer.code not in _OPEN_CODES
