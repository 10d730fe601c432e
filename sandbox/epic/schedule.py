"""What people do in Epic's schedule: book, move, hand over, cancel, mark a no-show. Each is announced over HL7."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from sandbox.hl7 import interface
from sandbox.models import Appointment, OutgoingMessage
from sandbox.people import PATIENTS, PROVIDERS

# Both numbers of a visit count from here. They are drawn and not counted, so that a fresh sandbox does not
# use again what a connector remembers of an older one.
_FIRST_CSN, _FIRST_CONFERENCE = 482_200_000, 1_853
_NUMBERS = 7_000_000
_DRAWS = 5
_SMALLEST_GROUP = 2
ACTS = ("move", "hand_over", "cancel", "no_show")


class CannotChange(ValueError):
    """The visit is over; Epic's schedule changes it no more."""


def book(
    *, environment: str, patient: str, provider: str, starts_at: datetime, minutes: int, now: datetime, **group: Any
) -> OutgoingMessage:
    """Book a video visit and announce it with S12.

    :param group: ``is_group`` and the ``conference_id`` of the others, for one patient's part of a group visit.
    :raises LookupError: when patient or provider do not exist.
    """
    if patient not in PATIENTS or provider not in PROVIDERS:
        raise LookupError(f"patients: {', '.join(PATIENTS)}; providers: {', '.join(PROVIDERS)}")
    appointment = _new(
        environment=environment, patient=patient, provider=provider, starts_at=starts_at, minutes=minutes, **group
    )
    return interface.announce(appointment, "S12", now=now)


def book_group(
    *, environment: str, patients: Sequence[str], provider: str, starts_at: datetime, minutes: int, now: datetime
) -> list[OutgoingMessage]:
    """Book a group visit and announce it: an appointment, a CSN and an S12 for each patient, one conference for all.

    :raises LookupError: when a patient or the provider does not exist, or fewer than two patients are named.
    """
    known = [patient for patient in dict.fromkeys(patients) if patient in PATIENTS]
    if len(known) < max(_SMALLEST_GROUP, len(set(patients))):
        raise LookupError(f"a group has two patients or more of: {', '.join(PATIENTS)}")
    first = book(
        environment=environment, patient=known[0], provider=provider, starts_at=starts_at, minutes=minutes,
        now=now, is_group=True,
    )  # fmt: skip
    conference = first.appointment.conference_id
    others = [
        book(
            environment=environment, patient=patient, provider=provider, starts_at=starts_at, minutes=minutes,
            now=now, is_group=True, conference_id=conference,
        )
        for patient in known[1:]
    ]  # fmt: skip
    return [first, *others]


def move(appointment: Appointment, *, starts_at: datetime, now: datetime) -> OutgoingMessage:
    """Give the visit another start and announce it with S13.

    :raises CannotChange: when it was cancelled or marked as a no-show.
    """
    changed = _change(appointment, starts_at=starts_at)
    return interface.announce(changed, "S13", now=now)


def hand_over(appointment: Appointment, *, now: datetime) -> OutgoingMessage:
    """Give the visit to the next provider of the schedule and announce it with S14.

    :raises CannotChange: when it was cancelled or marked as a no-show.
    """
    keys = list(PROVIDERS)
    following = keys[(keys.index(appointment.provider) + 1) % len(keys)]
    changed = _change(appointment, provider=following)
    return interface.announce(changed, "S14", now=now)


def cancel(appointment: Appointment, *, now: datetime) -> OutgoingMessage:
    """Cancel the visit and announce it with S15.

    :raises CannotChange: when it was cancelled already or marked as a no-show.
    """
    changed = _change(appointment, state=Appointment.State.CANCELLED)
    return interface.announce(changed, "S15", now=now)


def mark_no_show(appointment: Appointment, *, now: datetime) -> OutgoingMessage:
    """Record that the patient did not come and announce it with S26.

    :raises CannotChange: when it was cancelled or marked already.
    """
    changed = _change(appointment, state=Appointment.State.NO_SHOW)
    return interface.announce(changed, "S26", now=now)


def act(appointment: Appointment, name: str, *, now: datetime, starts_at: datetime | None = None) -> OutgoingMessage:
    """Do one of :data:`ACTS` to a visit.

    :raises LookupError: for another name, or ``move`` without a start.
    :raises CannotChange: when the visit is over.
    """
    if name == "move" and starts_at is not None:
        return move(appointment, starts_at=starts_at, now=now)
    if name == "hand_over":
        return hand_over(appointment, now=now)
    if name == "cancel":
        return cancel(appointment, now=now)
    if name == "no_show":
        return mark_no_show(appointment, now=now)
    raise LookupError(f"acts: {', '.join(ACTS)}")


def as_answer(message: OutgoingMessage) -> dict[str, Any]:
    """Return what the control address says about a visit and the message that announced it."""
    ack = {"code": message.ack_code, "text": message.ack_text} if message.ack_code else None
    return {
        "csn": message.appointment.csn,
        "conference_id": message.appointment.conference_id,
        "control_id": message.control_id,
        "starts_at": message.appointment.starts_at.isoformat(),
        "ack": ack,
        **({} if ack else {"error": "the listener has not acknowledged the message yet; it is sent again"}),
    }


@transaction.atomic
def _change(appointment: Appointment, **values: Any) -> Appointment:
    current = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if current.state != Appointment.State.SCHEDULED:
        raise CannotChange(f"visit {current.csn}: {current.get_state_display().lower()}")
    for name, value in values.items():
        setattr(current, name, value)
    current.save(update_fields=list(values))
    return current


def _new(**values: Any) -> Appointment:
    for _ in range(_DRAWS):
        number = secrets.randbelow(_NUMBERS)
        try:
            with transaction.atomic():
                own = {"csn": str(_FIRST_CSN + number), "conference_id": str(_FIRST_CONFERENCE + number)}
                return Appointment.objects.create(**{**own, **values})
        except IntegrityError:  # drawn before
            continue
    raise LookupError("no free visit number was drawn")
