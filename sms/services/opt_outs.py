"""Who wants no texts: kept as an index of the number, another one in every organization."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import audit, crypto
from sms.models import OptOut, SmsMessage


def index_of(organization_id: UUID, phone: str) -> str:
    """Return the index under which ``phone`` is listed by one organization."""
    return crypto.index(phone, purpose=f"opt_out:{organization_id}")


def opt_out(organization_id: UUID, phone: str, *, source: str, words: str = "") -> bool:
    """Send nothing to this number any more; False when that was so already.

    :param source: ``reply``, ``supplier`` or ``staff``.
    :param words: ``keyword`` or ``phrase``, what the owner used.
    """
    _, is_new = OptOut.objects.get_or_create(
        organization_id=organization_id,
        phone_index=index_of(organization_id, phone),
        ended_at=None,
        defaults={"source": source, "words": words},
    )
    return is_new


def opt_in(organization_id: UUID, phone: str, *, now: datetime) -> bool:
    """Let texts go to this number again; False when they did."""
    listed = OptOut.objects.filter(organization=organization_id, phone_index=index_of(organization_id, phone))
    return listed.filter(ended_at=None).update(ended_at=now) > 0


@transaction.atomic
def opt_out_contact(message: SmsMessage, *, actor: str) -> bool:
    """Text the patient of ``message`` no more, because a person was told so; False when that changes nothing."""
    contact = message.contact
    if contact is None or not contact.phone:
        return False
    is_new = opt_out(message.organization_id, contact.phone, source="staff")
    if is_new:
        audit.record(
            "sms.opted_out_by_staff", organization_id=message.organization_id, actor=actor, subject=message.visit
        )
    return is_new
