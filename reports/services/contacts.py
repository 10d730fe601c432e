"""Telephone numbers and join links, shown to a person who has a reason."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from core import audit
from visits.models import Visit
from visits.services import links


@dataclass(frozen=True, kw_only=True)
class RevealedContact:
    """One patient's number and way in; empty where it is erased or has ended."""

    label: str
    phone: str = field(repr=False)
    link: str = field(repr=False)


@transaction.atomic
def reveal(visit: Visit, *, reason: str, actor: str, now: datetime) -> list[RevealedContact]:
    """Return the contacts of ``visit``, and put into the audit trail who saw them, and why."""
    listed = list(visit.contacts.order_by("created_at"))
    audit.record(
        "visit.contacts_revealed",
        organization_id=visit.organization_id,
        actor=actor,
        subject=visit,
        reference=visit.reference,
        reason=reason,
        count=len(listed),
    )
    return [
        RevealedContact(
            label=f"Patient {number}",
            phone=contact.phone or "",
            link=links.url_of(link) if (link := contact.join_links.filter(ended_at=None).first()) else "",
        )
        for number, contact in enumerate(listed, start=1)
    ]
