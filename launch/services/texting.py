"""The provider's remedy for a lost link: the newest text once more."""

from datetime import datetime

from core.errors import ConfigurationError
from launch.models import LaunchAttempt
from sms.models import SmsMessage
from sms.services import resending

_REASON = "The provider asked for it from the status page."


def text_link_again(attempt: LaunchAttempt, *, now: datetime) -> int:
    """Send the newest text with a link to every patient of the visit again; return to how many.

    :raises ConfigurationError: ``sms.cannot_resend``, when there is nobody to whom it can be sent.
    """
    sent, reason = 0, "No text was sent for this visit."
    for message in _newest(attempt):
        try:
            resending.resend(message, reason=_REASON, actor=f"provider, launch {attempt.reference}", now=now)
        except ConfigurationError as error:
            reason = error.user_message
        else:
            sent += 1
    if not sent:
        raise ConfigurationError("sms.cannot_resend", reason)
    return sent


def _newest(attempt: LaunchAttempt) -> list[SmsMessage]:
    """Return the last text that each patient of the visit got."""
    sent = SmsMessage.objects.filter(visit=attempt.visit, contact__isnull=False)
    sent = sent.exclude(state__in=[SmsMessage.State.PENDING]).exclude(kind=SmsMessage.Kind.CANCELLED)
    return list({message.contact_id: message for message in sent.order_by("due_at")}.values())
