"""From a text that is due to the words that go out."""

from config_portal.services.connections import ApprovedConfiguration
from sms import wording
from sms.models import SmsMessage
from visits.models import JoinLink
from visits.services import links


def body_of(message: SmsMessage, configuration: ApprovedConfiguration, *, link: JoinLink | None) -> str:
    """Return the words of ``message`` as they are true now.

    :param link: the patient's way in; None for texts that carry none.
    """
    visit, contact = message.visit, message.contact
    organization = configuration.snapshot["organization"]
    return wording.compose(
        wording.Wording(
            kind=message.kind,
            language=contact.language if contact else "en",
            organization=organization["name"],
            starts_at=visit.starts_at or message.due_at,
            time_zone=visit.time_zone,
            link=links.url_of(link) if link else "",
            help_phone=organization["help_phone"],
            opens_minutes=int(configuration.join_window[0].total_seconds() // 60),
            templates=configuration.part("sms").get("templates", {}),
        )
    )
