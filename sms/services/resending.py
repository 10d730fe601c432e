"""Send a text once more because a person asked for it: another copy, with the reason, through every check again."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from core import audit
from core.errors import ConfigurationError
from sms.models import SmsMessage, SmsMessageQuerySet

MOST_COPIES = 3
USEFUL = timedelta(hours=2)

Kind, State = SmsMessage.Kind, SmsMessage.State
# Still under way: a copy would be the second text within minutes.
_UNDER_WAY = (State.PENDING, State.SENDING)


def refusal(message: SmsMessage, *, now: datetime) -> str:
    """Return in words why ``message`` cannot be sent again, '' when it can."""
    visit, contact = message.visit, message.contact
    reasons = (
        (message.state in _UNDER_WAY, "It is still on its way."),
        (
            message.state == State.UNKNOWN and message.check_at is not None,
            "Its answer is missing and the supplier is being asked whether it was sent. Try again in some minutes.",
        ),
        (
            contact is None or contact.phone is None,
            "The phone number is erased: the visit is over, or Epic deleted the number.",
        ),
        (
            message.visit_version != visit.version,
            "The visit changed after this text. Send the newest text again instead.",
        ),
        (visit.ends_at is None or visit.ends_at <= now, "The visit is over."),
        (
            message.error_code == "sms.opted_out",
            "The patient replied STOP. Only the patient can change that, by texting START.",
        ),
    )
    if found := next((words for holds, words in reasons if holds), ""):
        return found
    is_enough = _copies(message) >= MOST_COPIES
    return f"It was sent again {MOST_COPIES} times already. Call the patient instead." if is_enough else ""


@transaction.atomic
def resend(message: SmsMessage, *, reason: str, actor: str, now: datetime) -> SmsMessage:
    """Store a copy of ``message`` that is due now and return it; a copy already waiting is returned instead.

    :raises ConfigurationError: ``sms.cannot_resend``, with the reason in words.
    """
    rows = SmsMessage.objects.select_for_update(of=("self",)).select_related("visit", "contact")
    locked = rows.get(pk=message.pk)
    waiting = _family(locked).filter(state__in=_UNDER_WAY, copy__gt=0).first()
    if waiting is not None:
        return waiting  # a second click
    if why := refusal(locked, now=now):
        raise ConfigurationError("sms.cannot_resend", why)
    assert locked.visit.ends_at is not None  # noqa: S101 - refused above
    copy = SmsMessage.objects.create(
        organization_id=locked.organization_id,
        visit=locked.visit,
        contact=locked.contact,
        kind=locked.kind,
        visit_version=locked.visit_version,
        contact_revision=locked.contact_revision,
        offset_minutes=locked.offset_minutes,
        copy=_copies(locked) + 1,
        resend_reason=reason,
        due_at=now,
        expires_at=min(locked.visit.ends_at, now + USEFUL),  # who cannot come in asks when the visit has begun
    )
    audit.record(
        "sms.resent", organization_id=locked.organization_id, actor=actor, subject=locked.visit, reason=reason,
        kind=locked.kind,
    )  # fmt: skip
    return copy


def _copies(message: SmsMessage) -> int:
    return int(_family(message).aggregate(last=Max("copy"))["last"] or 0)


def _family(message: SmsMessage) -> SmsMessageQuerySet:
    return SmsMessage.objects.filter(
        contact=message.contact,
        visit_version=message.visit_version,
        contact_revision=message.contact_revision,
        kind=message.kind,
        offset_minutes=message.offset_minutes,
    )
