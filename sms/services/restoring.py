"""Texts after a restore: none goes out that may have gone out already."""

from datetime import datetime

from core.restoring import RESTORED
from sms.models import SmsMessage

State = SmsMessage.State


def settle(now: datetime) -> int:
    """End every text that was due or under way; nobody knows whether it was sent after the dump was made.

    Reminders still ahead stay as they are.
    """
    due = SmsMessage.objects.filter(state=State.PENDING, due_at__lte=now)
    under_way = SmsMessage.objects.filter(state=State.SENDING)
    ended = {"finished_at": now, "lease_until": None, "error_code": RESTORED}
    return due.update(state=State.EXPIRED, **ended) + under_way.update(state=State.UNKNOWN, **ended)
