"""Create, find and change online meetings."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from sandbox import ledger, people
from sandbox.graph import options
from sandbox.graph.base import Caller
from sandbox.graph.errors import bad_request, not_found
from sandbox.graph.times import read_time
from sandbox.graph.wire import meeting_id
from sandbox.models import Meeting

_CREATE_OR_GET = frozenset({"externalId", "chatInfo", "startDateTime", "endDateTime", "participants", "subject"})
_WRITABLE = frozenset({"subject", "startDateTime", "endDateTime", "participants"}) | options.NAMES
_DEFAULT_LENGTH = timedelta(hours=1)


@dataclass(frozen=True)
class _Times:
    starts_at: datetime
    ends_at: datetime


def create_or_get(body: dict[str, Any], *, caller: Caller, organizer_oid: str, now: datetime) -> tuple[Meeting, bool]:
    """Return the organizer's meeting with ``externalId``, and whether it is new.

    Two organizers with one external id have two meetings. An existing meeting is returned as it is.
    Options cannot be given here: they need a PATCH.

    :raises GraphError: 400 for a missing external id, an unknown property or impossible times.
    """
    _refuse_unknown(body, known=_CREATE_OR_GET)
    external_id = body.get("externalId")
    if not isinstance(external_id, str) or not external_id:
        raise bad_request("Required parameter externalId cannot be empty.")
    fields = _new_fields(body, caller=caller, organizer_oid=organizer_oid, now=now)
    meeting, is_new = Meeting.objects.get_or_create(
        organizer_oid=organizer_oid, external_id=external_id, defaults=fields
    )
    kind = "meeting_created" if is_new else "meeting_returned"
    ledger.record("graph", kind, key=external_id, meeting_id=meeting.graph_id, organizer=organizer_oid)
    return meeting, is_new


def create(body: dict[str, Any], *, caller: Caller, organizer_oid: str, now: datetime) -> Meeting:
    """Return a new meeting without an external id; options may be given at once.

    :raises GraphError: 400 as :func:`create_or_get`.
    """
    _refuse_unknown(body, known=_WRITABLE)
    fields = _new_fields(body, caller=caller, organizer_oid=organizer_oid, now=now)
    fields["options"] = options.changed(fields["options"], body, may_use_late_members=False)
    meeting = Meeting.objects.create(organizer_oid=organizer_oid, external_id=None, **fields)
    ledger.record("graph", "meeting_created", key="", meeting_id=meeting.graph_id, organizer=organizer_oid)
    return meeting


def change(meeting: Meeting, body: dict[str, Any], *, may_use_late_members: bool) -> Meeting:
    """Apply a PATCH to ``meeting`` and return it.

    :raises GraphError: 400 for a property that cannot be set or a value it does not have.
    """
    _refuse_unknown(body, known=_WRITABLE)
    with transaction.atomic():
        locked = Meeting.objects.select_for_update().get(pk=meeting.pk)
        locked.options = options.changed(locked.options, body, may_use_late_members=may_use_late_members)
        if "participants" in body:
            locked.options["attendees"] = options.attendees(body["participants"])
        if "subject" in body:
            locked.subject = str(body["subject"] or "")
        _move(locked, body)
        locked.save()
        ledger.record("graph", "meeting_patched", key=locked.graph_id, body=body)
    return locked


def find(*, organizer_oid: str, graph_id: str) -> Meeting:
    """Return the organizer's meeting.

    :raises GraphError: 404.
    """
    found = Meeting.objects.filter(organizer_oid=organizer_oid, graph_id=graph_id).first()
    if found is None:
        raise not_found("The meeting")
    return found


def check_organizer(organizer_oid: str) -> None:
    """Make sure that the user exists.

    :raises GraphError: 404.
    """
    if people.find(organizer_oid) is None:
        raise not_found(f"The user {organizer_oid}")


def _new_fields(body: dict[str, Any], *, caller: Caller, organizer_oid: str, now: datetime) -> dict[str, Any]:
    check_organizer(organizer_oid)
    times = _times(body, now=now)
    thread_id = f"19:meeting_{uuid.uuid4().hex}@thread.v2"
    fields = options.defaults()
    if "participants" in body:
        fields["attendees"] = options.attendees(body["participants"])
    return {
        "graph_id": meeting_id(organizer_oid=organizer_oid, thread_id=thread_id),
        "thread_id": thread_id,
        "tenant_id": caller.tenant_id,
        "subject": str(body.get("subject") or ""),
        "starts_at": times.starts_at,
        "ends_at": times.ends_at,
        "options": fields,
    }


def _times(body: dict[str, Any], *, now: datetime) -> _Times:
    start, end = body.get("startDateTime"), body.get("endDateTime")
    if end and not start:
        raise bad_request("startDateTime has to be given together with endDateTime.")
    starts_at = read_time(start, name="startDateTime") if start else now
    ends_at = read_time(end, name="endDateTime") if end else starts_at + _DEFAULT_LENGTH
    return _checked(starts_at, ends_at)


def _move(meeting: Meeting, body: dict[str, Any]) -> None:
    start, end = body.get("startDateTime"), body.get("endDateTime")
    times = _checked(
        read_time(start, name="startDateTime") if start else meeting.starts_at,
        read_time(end, name="endDateTime") if end else meeting.ends_at,
    )
    meeting.starts_at, meeting.ends_at = times.starts_at, times.ends_at


def _checked(starts_at: datetime, ends_at: datetime) -> _Times:
    if ends_at < starts_at:
        raise bad_request("endDateTime has to be after startDateTime.")
    return _Times(starts_at, ends_at)


def _refuse_unknown(body: dict[str, Any], *, known: frozenset[str]) -> None:
    unknown = sorted(name for name in body.keys() - known if not name.startswith("@odata"))
    if unknown:
        message = f"The property '{unknown[0]}' does not exist on this request or cannot be set by it."
        raise bad_request(message)
