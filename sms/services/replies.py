"""Replies that nobody but a person can understand: what staff did about each is kept, its words are not."""

from datetime import datetime

from django.db import transaction

from config_portal.models import Organization, OrganizationScopedQuerySet
from core import audit
from core.errors import ConfigurationError
from sms.models import InboundText
from sms.services import opt_outs

Meaning, Handling = InboundText.Meaning, InboundText.Handling
NOT_UNDERSTOOD = (Meaning.UNCLEAR, Meaning.OTHER)


def waiting(organization: Organization) -> OrganizationScopedQuerySet[InboundText]:
    """Return the replies that were not understood and that nobody has dealt with."""
    return not_understood(organization).filter(handled_at=None)


def not_understood(organization: Organization) -> OrganizationScopedQuerySet[InboundText]:
    """Return the replies that were not understood, dealt with or not."""
    return InboundText.objects.for_organization(organization).filter(meaning__in=NOT_UNDERSTOOD)


@transaction.atomic
def handle(reply: InboundText, *, how: str, actor: str, now: datetime) -> bool:
    """Store what a person did about ``reply``; False when somebody had dealt with it already.

    :param how: one of ``InboundText.Handling``; ``opt_out`` also ends texts to this phone.
    :raises ConfigurationError: ``sms.number_erased``, when an opt-out is asked for and the number is gone.
    """
    locked = InboundText.objects.select_for_update(of=("self",)).select_related("contact").get(pk=reply.pk)
    if locked.handled_at is not None:
        return False
    if how == Handling.OPT_OUT:
        phone = locked.contact.phone if locked.contact else None
        if not phone:
            raise ConfigurationError(
                "sms.number_erased", "The phone number is erased, so this phone gets no texts about that visit anyway."
            )
        opt_outs.opt_out(locked.organization_id, phone, source="staff")
    locked.handled_at, locked.handled_by, locked.handling = now, actor, how
    locked.save(update_fields=["handled_at", "handled_by", "handling"])
    audit.record("sms.reply_handled", organization_id=locked.organization_id, actor=actor, subject=locked, how=how)
    return True
