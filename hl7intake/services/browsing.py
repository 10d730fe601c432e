"""Find messages: by outcome, visit, control id and time, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from config_portal.models import FhirEndpoint, Organization
from hl7intake.models import InboundMessage, InboundMessageQuerySet
from visits.services.scheduling import session_index

PAGE = 50
# States are few; what staff ask for is sometimes several of them, or one and its reason.
OUTCOMES = {
    "received": "Waiting to take effect",
    "applied": "Applied",
    "ignored": "Not used",
    "superseded": "Older than what we know",
    "rejected": "Rejected",
    "quarantined": "Quarantined",
    "warned": "Applied with a note",
}


@dataclass(frozen=True, kw_only=True)
class MessageFilter:
    """What is looked for; empty values look for everything.

    :param outcome: a key of :data:`OUTCOMES`.
    :param visit: the whole visit id (CSN); it is stored as a keyed hash and cannot be searched in part.
    :param control_id: the beginning of MSH-10.
    :param since: earliest arrival; ``until`` the latest, exclusive.
    """

    outcome: str = ""
    endpoint_id: UUID | None = None
    visit: str = ""
    control_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return self == MessageFilter()


def found(organization: Organization, wanted: MessageFilter) -> InboundMessageQuerySet:
    """Return the messages of ``organization`` that are looked for, newest first, without their texts."""
    messages = InboundMessage.objects.for_organization(organization).defer("raw")
    messages = _with_outcome(messages, wanted.outcome)
    if wanted.endpoint_id:
        messages = messages.filter(endpoint=wanted.endpoint_id)
    if wanted.visit:
        endpoints = FhirEndpoint.objects.for_organization(organization)
        messages = messages.filter(session_index__in=[session_index(one, wanted.visit) for one in endpoints])
    if wanted.control_id:
        messages = messages.filter(control_id__istartswith=wanted.control_id)
    if wanted.since:
        messages = messages.filter(received_at__gte=wanted.since)
    if wanted.until:
        messages = messages.filter(received_at__lt=wanted.until)
    return messages.order_by("-received_at", "-pk")


def page_after(messages: InboundMessageQuerySet, last: InboundMessage | None) -> tuple[list[InboundMessage], bool]:
    """Return the page behind ``last``, the first one without it, and whether there are more."""
    if last is not None:
        behind = Q(received_at__lt=last.received_at) | Q(received_at=last.received_at, pk__lt=last.pk)
        messages = messages.filter(behind)
    listed = list(messages.select_related("endpoint", "visit")[: PAGE + 1])
    return listed[:PAGE], len(listed) > PAGE


def about_same_appointment(message: InboundMessage) -> list[InboundMessage]:
    """Return every message about the appointment of ``message``, itself too, in the order they take effect."""
    if not message.session_index:
        return [message]
    same = InboundMessage.objects.filter(endpoint=message.endpoint_id, session_index=message.session_index)
    return list(same.defer("raw").in_order()[:PAGE])


def _with_outcome(messages: InboundMessageQuerySet, outcome: str) -> InboundMessageQuerySet:
    if outcome == "warned":
        return messages.filter(state=InboundMessage.State.APPLIED).exclude(warnings=[])
    return messages.filter(state=outcome) if outcome in OUTCOMES else messages
