"""Bring a visit to the state that Epic's schedule says, once and in order."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from django.db import IntegrityError, transaction

from config_portal.models import FhirEndpoint
from core import crypto
from visits import signals
from visits.models import JoinLink, PatientContact, Visit
from visits.services import links

# How long a number is kept when a visit starts late. The law of the product is "until it takes place, and no
# longer than an hour"; the rest of the hour is for the clock that erases it.
CONTACT_GRACE = timedelta(minutes=50)


class Change(StrEnum):
    """What a schedule message did to our books."""

    CREATED = "created"
    MOVED = "moved"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ENDED = "ended"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, kw_only=True)
class ScheduledPerson:
    """One patient of a scheduled visit.

    :param record_number: Epic's id of the person; used for an HMAC and never stored.
    :param phone: E.164; None when the message says nothing about it, '' when it deletes the number.
    :param language: ``en``, ``es`` or another ISO 639-1 code; '' when the message says nothing about it.
    """

    record_number: str
    phone: str | None
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class ScheduledVisit:
    """What a schedule message says about a visit; times are aware and in UTC, an empty text changes nothing.

    :param provider_ids: Epic's ids of the clinicians booked; none given changes nothing.
    """

    session_id: str
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    visit_type: str = ""
    visit_type_name: str = ""
    department: str = ""
    is_group: bool = False
    interpreter_language: str = ""
    provider_ids: tuple[str, ...] = ()
    people: tuple[ScheduledPerson, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The visit concerned and what changed; ``visit`` is None for the end of one we never knew."""

    visit: Visit | None
    change: Change


@transaction.atomic(savepoint=False)  # whoever calls us in a transaction gives all of it up when we fail
def schedule_visit(endpoint: FhirEndpoint, scheduled: ScheduledVisit, *, now: datetime) -> Outcome:
    """Create or update the visit that ``scheduled`` describes; older news changes nothing."""
    visit = _lock(endpoint, scheduled.session_id)
    if visit is None:
        visit = _create(endpoint, scheduled)
        if visit is not None:
            _update_contacts(visit, scheduled.people, known={}, now=now)
            return _announce(visit, is_new=True, now=now)
        visit = _lock(endpoint, scheduled.session_id)  # a launch has made it at this moment
        assert visit is not None  # noqa: S101 - visits are kept
    if _is_older(visit, scheduled.changed_at):
        return Outcome(visit=visit, change=Change.SUPERSEDED)
    is_new = visit.starts_at is None  # a launch may have made it before its schedule was known
    is_moved = not is_new and (visit.starts_at != scheduled.starts_at or not visit.is_scheduled)
    _copy(scheduled, visit)
    if is_moved:
        visit.version += 1
        links.end_links(visit, ending=JoinLink.Ending.MOVED, now=now)
    visit.save()
    has_new_contacts = _update_contacts(visit, scheduled.people, known=_known_contacts(visit), now=now)
    return _announce(visit, is_new=is_new, is_moved=is_moved, has_new_contacts=has_new_contacts, now=now)


@transaction.atomic
def end_visit(
    endpoint: FhirEndpoint, session_id: str, *, state: Visit.State, changed_at: datetime, now: datetime
) -> Outcome:
    """Record that the visit will not take place; an unknown visit stays unknown."""
    visit = _lock(endpoint, session_id)
    if visit is None:
        return Outcome(visit=None, change=Change.UNCHANGED)
    if _is_older(visit, changed_at):
        return Outcome(visit=visit, change=Change.SUPERSEDED)
    visit.changed_at_source = changed_at
    if visit.state == state:
        visit.save(update_fields=["changed_at_source"])
        return Outcome(visit=visit, change=Change.UNCHANGED)
    visit.state = state
    visit.version += 1
    visit.save()
    links.end_links(visit, ending=JoinLink.Ending.CANCELLED, now=now)
    signals.visit_ended.send(sender=Visit, visit=visit, now=now)
    return Outcome(visit=visit, change=Change.ENDED)


def session_index(endpoint: FhirEndpoint, session_id: str) -> str:
    """Return the index under which a session id of ``endpoint`` is found."""
    return session_index_of(endpoint.pk, session_id)


def session_index_of(endpoint_id: UUID, session_id: str) -> str:
    """Return the index under which a session id of the endpoint with this id is found."""
    return crypto.index(session_id, purpose=_session_purpose(endpoint_id))


@lru_cache(maxsize=1024)
def _session_purpose(endpoint_id: UUID) -> str:
    return f"visit.session:{endpoint_id}"


def _lock(endpoint: FhirEndpoint, session_id: str) -> Visit | None:
    index = session_index(endpoint, session_id)
    return Visit.objects.select_for_update().filter(endpoint=endpoint, session_index=index).first()


def _create(endpoint: FhirEndpoint, scheduled: ScheduledVisit) -> Visit | None:
    """Return the new visit, or None when somebody else has made it meanwhile."""
    visit = Visit(
        endpoint=endpoint,
        organization=endpoint.organization,
        session_id=scheduled.session_id,
        session_index=session_index(endpoint, scheduled.session_id),
    )
    _copy(scheduled, visit)
    try:
        with transaction.atomic():
            visit.save(force_insert=True)
    except IntegrityError:
        return None
    return visit


def _is_older(visit: Visit, changed_at: datetime) -> bool:
    return visit.changed_at_source is not None and changed_at < visit.changed_at_source


def _copy(scheduled: ScheduledVisit, visit: Visit) -> None:
    visit.state = Visit.State.SCHEDULED
    visit.changed_at_source = scheduled.changed_at
    for name in ("starts_at", "ends_at", "time_zone", "is_group"):
        setattr(visit, name, getattr(scheduled, name))
    for name in ("visit_type", "visit_type_name", "department", "interpreter_language"):
        setattr(visit, name, getattr(scheduled, name) or getattr(visit, name))
    if scheduled.provider_ids:
        visit.provider_ids = "\n".join(scheduled.provider_ids)


def _known_contacts(visit: Visit) -> dict[str, PatientContact]:
    """Return the contacts of ``visit`` by the index of the person, told how long their numbers are kept now."""
    assert visit.starts_at is not None  # noqa: S101 - a scheduled visit has a start
    visit.contacts.update(purge_at=visit.starts_at + CONTACT_GRACE)
    return {contact.person_index: contact for contact in visit.contacts.select_for_update()}


def _update_contacts(
    visit: Visit, people: tuple[ScheduledPerson, ...], *, known: dict[str, PatientContact], now: datetime
) -> bool:
    """Make the contacts those of ``people``; return whether a number or language changed."""
    assert visit.starts_at is not None  # noqa: S101 - a scheduled visit has a start
    purge_at = visit.starts_at + CONTACT_GRACE
    has_changed = False
    for person in people:
        index = crypto.index(person.record_number, purpose=f"person:{visit.endpoint_id}")
        contact = known.pop(index, None) or PatientContact(visit=visit, person_index=index)
        has_changed |= _update_contact(contact, person, purge_at=purge_at, now=now)
    if people and known:
        # Whoever is no longer named lost the visit to somebody else: their link must not open it.
        signals.contacts_purged.send(sender=PatientContact, contact_ids=[contact.pk for contact in known.values()])
        for contact in known.values():
            contact.delete()
    return has_changed


def _update_contact(contact: PatientContact, person: ScheduledPerson, *, purge_at: datetime, now: datetime) -> bool:
    is_new = contact._state.adding
    old_phone, old_language = contact.phone, contact.language
    if person.phone is not None:
        contact.phone = person.phone or None
        contact.phone_index = crypto.index(person.phone, purpose="phone") if person.phone else ""
    is_other_phone = contact.phone != old_phone
    if is_other_phone and not is_new:
        contact.revision += 1
        links.end_link_of(contact, ending=JoinLink.Ending.REPLACED, now=now)
    contact.language = person.language or contact.language
    contact.purge_at = purge_at
    contact.save()
    return is_new or is_other_phone or contact.language != old_language


def _announce(
    visit: Visit, *, is_new: bool, is_moved: bool = False, has_new_contacts: bool = False, now: datetime
) -> Outcome:
    if is_new:
        signals.visit_scheduled.send(sender=Visit, visit=visit, now=now)
        return Outcome(visit=visit, change=Change.CREATED)
    if is_moved:
        signals.visit_moved.send(sender=Visit, visit=visit, now=now)
        return Outcome(visit=visit, change=Change.MOVED)
    if has_new_contacts:
        signals.visit_contacts_changed.send(sender=Visit, visit=visit, now=now)
    return Outcome(visit=visit, change=Change.UPDATED)
