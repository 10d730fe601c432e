"""Who is who: match the people Graph sees to the people we sent.

Graph knows accounts and devices, Epic knows users, and nothing connects the two but our having sent somebody
into the meeting a moment ago. A match is made once, on the first arrival of a device, and kept.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from core import crypto
from core.context import request_id
from meetings import signals
from meetings.models import Connection, Meeting, Participant
from meetings.providers.base import Identity, RosterChange, Whereabouts
from meetings.services import finding
from visits.models import PatientContact

# Teams opens within seconds of our page. Somebody sent longer ago probably gave up, and comes last.
FRESH = timedelta(minutes=5)


def expect(
    meeting: Meeting,
    *,
    role: str,
    ehr_user_id: str = "",
    entra_object_id: uuid.UUID | None = None,
    contact: PatientContact | None = None,
    invitation_id: uuid.UUID | None = None,
    now: datetime,
) -> Participant:
    """Note that somebody is on the way into the meeting, and return who it is there.

    Call it before the person enters Teams. The same person (account; or EHR user, contact or invitation in the
    same role) is the same participant each time; somebody of whom nothing is known is a new one each time.

    :param role: a ``Participant.Role``.
    """
    with transaction.atomic():
        locked = finding.locked(meeting.pk)
        index = ehr_user_index(locked, ehr_user_id) if ehr_user_id else ""
        contact_id = contact.pk if contact else None
        known = {"ehr_user_index": index, "contact_id": contact_id, "invitation_id": invitation_id}
        people = list(locked.participants.all())
        participant = _known(people, role=role, entra_object_id=entra_object_id, known=known)
        if participant is None:
            last = max((person.ordinal for person in people if person.role == role), default=0)
            participant = _numbered(locked, role=role, ordinal=last + 1, now=now)
        if index:
            participant.ehr_user_id, participant.ehr_user_index = ehr_user_id, index
        participant.entra_object_id = entra_object_id or participant.entra_object_id
        participant.contact = contact or participant.contact
        participant.invitation_id = invitation_id or participant.invitation_id
        participant.expected_at = now
        participant.request_id = request_id() or participant.request_id
        participant.save()
        signals.people_expected.send(sender=Participant, participant=participant, now=now)
        return participant


def ehr_user_index(meeting: Meeting, ehr_user_id: str) -> str:
    """Return the index under which an EHR user is found in this organization."""
    return ehr_user_index_in(meeting.organization_id, ehr_user_id)


def ehr_user_index_in(organization_id: uuid.UUID, ehr_user_id: str) -> str:
    """Return the same of an organization that has no meeting at hand."""
    return crypto.index(ehr_user_id, purpose=f"ehr_user:{organization_id}")


def connection_of(meeting: Meeting, change: RosterChange, *, at: datetime, now: datetime) -> Connection:
    """Return the connection that ``change`` is about, with its participant once it has been seen arriving.

    The caller holds the lock on ``meeting``.
    """
    index = _identity_index(meeting, change.identity)
    connection, _ = Connection.objects.select_related("participant").get_or_create(
        meeting=meeting, graph_id=change.connection_id, defaults={"identity_index": index, "created_at": now}
    )
    if connection.participant is None and change.whereabouts is not Whereabouts.GONE:
        connection.participant = _match(meeting, change.identity, index=index, at=at, now=now)
        connection.identity_index = index
        connection.save(update_fields=["participant", "identity_index"])
    return connection


def member(meeting: Meeting, identity: Identity, *, at: datetime, now: datetime) -> Participant | None:
    """Return who the user of our tenant is whom an attendance report names; None when it names no user."""
    object_id = _object_id(meeting, identity)
    return None if object_id is None else _match_member(meeting, object_id, at=at, now=now)


def outsider(meeting: Meeting, identity: Identity) -> Participant | None:
    """Return the outsider who has been here under this identity before, or None."""
    index = _identity_index(meeting, identity)
    return _by_identity(meeting, index) if index else None


def next_outsider(meeting: Meeting, *, at: datetime, exclude: Collection[uuid.UUID], now: datetime) -> Participant:
    """Return the outsider who was expected next at ``at``, apart from ``exclude``; else somebody new."""
    others = meeting.participants.exclude(role=Participant.Role.PROVIDER).exclude(pk__in=exclude)
    found = _next_expected(others, at=at) or _new(meeting, role=Participant.Role.GUEST, now=now)
    _has_come(found)
    return found


def _known(
    people: Sequence[Participant],
    *,
    role: str,
    entra_object_id: uuid.UUID | None,
    known: Mapping[str, object],
) -> Participant | None:
    """Return the participant that this person already is: by account, else by role and what is ``known`` of them."""
    with_account = (person for person in people if entra_object_id and person.entra_object_id == entra_object_id)
    same_role = [person for person in people if person.role == role]
    alike = (person for name, value in known.items() if value for person in same_role if getattr(person, name) == value)
    return next(with_account, None) or next(alike, None)


def _new(meeting: Meeting, *, role: str, now: datetime) -> Participant:
    last = meeting.participants.filter(role=role).aggregate(last=Max("ordinal"))["last"] or 0
    participant = _numbered(meeting, role=role, ordinal=last + 1, now=now)
    participant.save()
    return participant


def _numbered(meeting: Meeting, *, role: str, ordinal: int, now: datetime) -> Participant:
    """Return somebody new, not stored yet."""
    return Participant(
        organization_id=meeting.organization_id,
        meeting=meeting,
        role=role,
        ordinal=ordinal,
        state_at=now,
        created_at=now,
    )


def _match(meeting: Meeting, identity: Identity, *, index: str, at: datetime, now: datetime) -> Participant:
    """Return whom ``identity`` is: known, else the next one expected, else somebody new without a name."""
    object_id = _object_id(meeting, identity)
    if object_id is not None:
        participant = _match_member(meeting, object_id, at=at, now=now)
    else:
        participant = _match_outsider(meeting, index, at=at, now=now)
    _has_come(participant)
    return participant


def _has_come(participant: Participant) -> None:
    if participant.expected_at is not None:
        participant.expected_at = None
        participant.save(update_fields=["expected_at"])


def _match_member(meeting: Meeting, object_id: uuid.UUID, *, at: datetime, now: datetime) -> Participant:
    known = meeting.participants.filter(entra_object_id=object_id).first()
    if known is not None:
        return known
    staff = (Participant.Role.PROVIDER, Participant.Role.COLLEAGUE, Participant.Role.INTERPRETER)
    without_account = meeting.participants.filter(role__in=staff, entra_object_id=None)
    participant = _next_expected(without_account, at=at) or _new(meeting, role=Participant.Role.PROVIDER, now=now)
    participant.entra_object_id = object_id
    participant.save(update_fields=["entra_object_id"])
    return participant


def _match_outsider(meeting: Meeting, index: str, *, at: datetime, now: datetime) -> Participant:
    if index and (known := _by_identity(meeting, index)):
        return known
    others = meeting.participants.exclude(role=Participant.Role.PROVIDER)
    return _next_expected(others, at=at) or _new(meeting, role=Participant.Role.GUEST, now=now)


def _by_identity(meeting: Meeting, index: str) -> Participant | None:
    before = meeting.connections.filter(identity_index=index).exclude(participant=None)
    known = before.select_related("participant").first()
    return known.participant if known else None


def _next_expected(participants: QuerySet[Participant], *, at: datetime) -> Participant | None:
    """Return who was sent first among those sent lately, else who was sent last."""
    expected = participants.exclude(expected_at=None)
    fresh = expected.filter(Q(expected_at__gte=at - FRESH)).order_by("expected_at").first()
    return fresh or expected.order_by("-expected_at").first()


def _identity_index(meeting: Meeting, identity: Identity) -> str:
    if not identity.id or _object_id(meeting, identity) is not None:
        return ""
    return crypto.index(identity.id, purpose=f"outsider:{meeting.pk}")


def _object_id(meeting: Meeting, identity: Identity) -> uuid.UUID | None:
    """Return the Entra object id of a user of our tenant; None for everybody else, whatever Graph calls them."""
    if not identity.is_member_of(str(meeting.tenant_id)):
        return None
    try:
        return uuid.UUID(identity.id)
    except ValueError:
        return None
