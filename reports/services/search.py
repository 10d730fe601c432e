"""Find a visit by any number that somebody may have in hand."""

from uuid import UUID

from config_portal.models import Organization
from hl7intake.models import InboundMessage
from launch.models import LaunchAttempt
from visits.models import Visit
from visits.services.lookup import find_visits

MOST = 50


def find(organization: Organization, text: str) -> list[Visit]:
    """Return the visits of ``organization`` that ``text`` stands for.

    It may be a session id (CSN), a conference id, a visit's or a launch's reference number, or the control id of an
    HL7 message (MSH-10); always the whole of it.
    """
    text = text.strip()
    if not text:
        return []
    found = {visit.pk: visit for visit in find_visits(organization, text)}
    more = [pk for pk in _by_message(organization, text) | _by_launch(organization, text) if pk not in found]
    visits = Visit.objects.for_organization(organization).filter(pk__in=more)
    found |= {visit.pk: visit for visit in visits.select_related("endpoint", "organization")}
    return list(found.values())[:MOST]


def find_message(organization: Organization, text: str) -> InboundMessage | None:
    """Return the newest message with this control id, for one that belongs to no visit."""
    messages = InboundMessage.objects.for_organization(organization).filter(control_id=text.strip())
    return messages.select_related("endpoint").order_by("-received_at").first()


def _by_message(organization: Organization, text: str) -> set[UUID]:
    messages = InboundMessage.objects.for_organization(organization).filter(control_id=text, visit__isnull=False)
    return {pk for pk in messages.values_list("visit_id", flat=True)[:MOST] if pk}


def _by_launch(organization: Organization, text: str) -> set[UUID]:
    attempts = LaunchAttempt.objects.for_organization(organization).filter(reference=text.upper(), visit__isnull=False)
    return {pk for pk in attempts.values_list("visit_id", flat=True)[:MOST] if pk}
