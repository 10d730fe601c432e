"""Find the visit that a launch or a search means."""

from django.db import IntegrityError, transaction

from config_portal.models import FhirEndpoint, Organization
from core import crypto
from core.queries import Lookup
from visits.models import Visit
from visits.services.scheduling import session_index

_OF_SESSION = Lookup(Visit.objects.all, "endpoint", "session_index")
_LOCKED_OF_SESSION = Lookup(
    lambda: Visit.objects.select_for_update(of=("self",)).select_related("group_visit"), "endpoint", "session_index"
)


def get_or_create_for_launch(
    endpoint: FhirEndpoint, *, session_id: str, conference_id: str | None, csn: str = ""
) -> Visit:
    """Return the visit that Epic launched us for; made when its schedule message has not come.

    A launch is also how a conference id becomes known, without which Epic cannot be told who connected.

    :param csn: the person's own appointment when the session is the conference of a group.
    """
    if csn:
        return _known(_of_group(endpoint, session_id, conference_id=conference_id, csn=csn), endpoint)
    visit = _get_or_create(endpoint, session_id, conference_id=conference_id, is_group=False, like=None)
    _learn_conference(visit, endpoint, conference_id)
    return _known(visit.meeting_place, endpoint)


@transaction.atomic
def _of_group(endpoint: FhirEndpoint, session_id: str, *, conference_id: str | None, csn: str) -> Visit:
    """Return the visit in which a group meets, with the person's own appointment in it."""
    own = _find(endpoint, csn)
    if own is not None and own.meeting_place.pk != own.pk:
        return own.meeting_place
    visit = _find(endpoint, session_id) or _conference_of(endpoint, session_id, own)
    if visit is None:
        visit = _get_or_create(endpoint, session_id, conference_id=conference_id, is_group=True, like=own)
    if own is not None and own.pk != visit.pk:
        own.group_visit, own.is_group = visit, True
        own.save(update_fields=["group_visit", "is_group", "updated_at"])
    _learn_conference(visit, endpoint, conference_id)
    return visit.meeting_place


def _learn_conference(visit: Visit, endpoint: FhirEndpoint, conference_id: str | None) -> None:
    if conference_id and visit.conference_id != conference_id:
        visit.conference_id = conference_id
        visit.conference_index = conference_index(endpoint, conference_id)
        visit.save(update_fields=["conference_id", "conference_index", "updated_at"])


def _known(visit: Visit, endpoint: FhirEndpoint) -> Visit:
    """Return ``visit`` with its endpoint at hand, which the caller has read already."""
    visit.endpoint, visit.organization = endpoint, endpoint.organization
    return visit


def conference_index(endpoint: FhirEndpoint, conference_id: str) -> str:
    """Return the index under which a conference id of ``endpoint`` is found."""
    return crypto.index(conference_id, purpose=f"visit.conference:{endpoint.pk}")


def _find(endpoint: FhirEndpoint, session_id: str) -> Visit | None:
    return _LOCKED_OF_SESSION.find(endpoint.pk, session_index(endpoint, session_id))


def _conference_of(endpoint: FhirEndpoint, conference_id: str, own: Visit | None) -> Visit | None:
    """Return the group that is known by another number than its conference id, or None.

    Epic may announce a group by one message that names everybody: that appointment is the conference.
    """
    known = Visit.objects.filter(endpoint=endpoint, conference_index=conference_index(endpoint, conference_id))
    found = known.filter(is_group=True, group_visit=None).order_by("created_at").first()
    if found is not None:
        return found
    holds_everybody = own is not None and not own.conference_id and own.contacts.count() > 1
    return own if holds_everybody else None


def _get_or_create(
    endpoint: FhirEndpoint, session_id: str, *, conference_id: str | None, is_group: bool, like: Visit | None
) -> Visit:
    """Return the visit of a session; a group's conference begins when the first known appointment does."""
    index = conference_index(endpoint, conference_id) if conference_id else ""
    times = {"starts_at": like.starts_at, "ends_at": like.ends_at} if like is not None else {}
    fresh = Visit(
        endpoint=endpoint,
        session_index=session_index(endpoint, session_id),
        organization=endpoint.organization,
        session_id=session_id,
        time_zone=like.time_zone if like is not None else endpoint.time_zone,
        is_group=is_group,
        conference_id=conference_id,
        conference_index=index,
        **times,
    )
    return _OF_SESSION.find(endpoint.pk, fresh.session_index) or _stored(fresh)


def _stored(fresh: Visit) -> Visit:
    """Store ``fresh`` and return it, or the visit of its session that somebody has stored in the same moment."""
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        first = _OF_SESSION.find(fresh.endpoint_id, fresh.session_index)
        if first is None:
            raise  # it was about something else
        return first
    return fresh


def find_visits(organization: Organization, text: str) -> list[Visit]:
    """Return the visits of ``organization`` whose session id, conference id or reference is ``text``."""
    text = text.strip()
    found: list[Visit] = list(Visit.objects.for_organization(organization).filter(reference=text.upper()))
    for endpoint in organization.endpoints.all():
        visits = Visit.objects.for_organization(organization)
        found += visits.filter(session_index=session_index(endpoint, text))
        found += visits.filter(conference_index=conference_index(endpoint, text))
    return list({visit.pk: visit for visit in found}.values())
