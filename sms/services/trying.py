"""Send one text by hand, to see that a number works."""

import uuid
from datetime import datetime

from core import audit, phone
from core.errors import ConfigurationError
from sms.models import OptOut, PhoneNumber
from sms.providers.base import Acceptance, OutgoingText
from sms.services import consents, opt_outs, suppliers


def send_test(number: PhoneNumber, *, to: str, actor: str, now: datetime) -> Acceptance:
    """Send a text that says nothing of any visit from ``number`` to ``to`` (E.164).

    :raises ConfigurationError: ``sms.no_consent``, ``sms.opted_out``, or the supplier is not set up.
    :raises ConnectorError: what the supplier said.
    """
    organization = number.organization
    if not consents.are_given(organization.pk):
        raise ConfigurationError("sms.no_consent", "The organization has not agreed to text messages.")
    listed = OptOut.objects.filter(organization=organization, ended_at=None)
    if listed.filter(phone_index=opt_outs.index_of(organization.pk, to)).exists():
        raise ConfigurationError("sms.opted_out", "The owner of this number replied STOP.")
    acceptance = suppliers.provider(number.supplier).send(
        OutgoingText(
            to=to,
            sender=number.number,
            body=f"{organization.name}: this is a test of our text messages. Reply STOP to end texts.",
            key=uuid.uuid4(),
            reference="",
            first_sent_at=now,
            receipt_url="",
            messaging_service=number.messaging_service_sid,
        )
    )
    audit.record(
        "sms.test_sent", organization_id=organization.pk, actor=actor, subject=number, to=phone.last_digits(to)
    )
    return acceptance
