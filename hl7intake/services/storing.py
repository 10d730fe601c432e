"""Write messages down, many in one commit; known ones are recognised, not written twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from django.db import connection
from django.db.models import F

from core import crypto
from hl7intake.ack import Verdict, codes
from hl7intake.errors import AckCode, Condition, MessageRefused
from hl7intake.examining import Examined
from hl7intake.models import VERBATIM, InboundMessage, RawRetention
from hl7intake.outline import shape_of
from hl7intake.reader import read
from hl7intake.services.senders import Sender
from visits.services.scheduling import session_index_of

State = InboundMessage.State


@dataclass(slots=True)
class Delivery:
    """One arrival of one message, and what became of it.

    ``id`` is that of its row, as text. ``verdict`` and ``state`` are what the sender is told; final once
    :func:`store` has returned.
    """

    id: str
    examined: Examined
    sender: Sender
    at: datetime
    transport: str
    verdict: Verdict
    state: InboundMessage.State | None = None

    @property
    def key(self) -> tuple[str, str, str, UUID]:
        """What makes a message known: its control id, and whose it is. What differs most comes first."""
        header = self.examined.header
        envelope = header.envelope
        return header.control_id, envelope.sending_application, envelope.sending_facility, self.sender.endpoint_id


def store(deliveries: Sequence[Delivery]) -> None:
    """Commit ``deliveries`` and decide what each sender is told.

    New messages are written by a single statement, which is one commit however many they are. Safe to be
    called again with the same deliveries when it is not known whether the commit arrived.

    :raises django.db.Error: when something could not be stored; nothing may be acknowledged then.
    """
    accepted = in_one_order(deliveries)
    number = _insert(accepted) if accepted else 0
    settle(deliveries, is_all_new=number == len(accepted))


def in_one_order(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return those to be written, in an order that keeps two batches with the same messages from a deadlock."""
    return sorted((one for one in deliveries if one.examined.is_accepted), key=lambda one: one.key)


def settle(deliveries: Sequence[Delivery], *, is_all_new: bool) -> None:
    """Decide what each sender is told, once what was acceptable and new among ``deliveries`` is written.

    :param is_all_new: whether everything acceptable was new.
    :raises django.db.Error: when a refused message could not be noted; nothing may be acknowledged then.
    """
    written = None if is_all_new else _written(deliveries)
    for delivery in deliveries:
        if not delivery.examined.is_accepted:
            _store_rejected(delivery, code=delivery.examined.error_code)
        elif written is None or delivery.id in written:
            delivery.state = State.RECEIVED
        else:
            _recognise(delivery)


def _written(deliveries: Sequence[Delivery]) -> set[str]:
    found = InboundMessage.objects.filter(pk__in=[one.id for one in deliveries])
    return {str(pk) for pk in found.values_list("pk", flat=True)}


_RAW = "hl7intake.inboundmessage.raw"  # what the ciphertext is bound to, besides the row's id
_OWN_COLUMNS = {
    "id": "uuid",
    "control_id": "text",
    "sha256": "text",
    "message_at": "timestamptz",
    "received_at": "timestamptz",
    "session_index": "text",
    "raw": "bytea",
}
# What messages of one sender have in common is sent once for all of them; ``kind`` of each says which it is.
_SHARED_COLUMNS = {
    "organization_id": "uuid",
    "endpoint_id": "uuid",
    "certificate_id": "uuid",
    "transport": "text",
    "sending_application": "text",
    "sending_facility": "text",
    "message_type": "text",
    "trigger": "text",
    "charset": "text",
    "answered": "text",
}
# Fails when one of the messages is known. To look first takes the database a seventh of the time, and hardly any is.
INSERT_NEW = f"""
    INSERT INTO hl7intake_inboundmessage ({", ".join((*_SHARED_COLUMNS, *_OWN_COLUMNS))}, due_at, state, ack_code,
        deliveries, attempts, start_text, reason, error_code, error_condition, error_location, error_text, warnings,
        understood)
    SELECT {", ".join(f"(%b::{kind}[])[kind]" for kind in _SHARED_COLUMNS.values())}, {", ".join(_OWN_COLUMNS)},
        received_at, 'received', 'AA', 1, 0, '', '', '', '', '', '', '[]', '{{}}'
    FROM unnest({", ".join(f"%b::{kind}[]" for kind in _OWN_COLUMNS.values())}, %b::int[])
        AS given ({", ".join(_OWN_COLUMNS)}, kind)
"""  # noqa: S608 - names of ours
# Leaves out what is known.
INSERT = f"{INSERT_NEW} ON CONFLICT DO NOTHING"


def columns_of(deliveries: Sequence[Delivery]) -> list[list[object]]:
    """Return the parameters of :data:`INSERT` and :data:`INSERT_NEW`, to be sent in binary form."""
    kinds: dict[tuple[object, ...], int] = {}
    shared: list[tuple[object, ...]] = []
    own: list[tuple[object, ...]] = []
    for one, sealed in zip(deliveries, _sealed(deliveries), strict=True):
        examined = one.examined
        # By identity, which is quick: equal ones that are not the same are sent twice.
        key = (id(one.sender), id(examined.header.envelope), examined.charset, one.transport)
        kind = kinds.setdefault(key, len(kinds) + 1)
        if kind > len(shared):
            shared.append(_shared_values(one))
        own.append((*_own_values(one), sealed, kind))
    return [list(column) for column in (*zip(*shared, strict=True), *zip(*own, strict=True))]


def _insert(deliveries: Sequence[Delivery]) -> int:
    """Write what is not known yet and return how many rows that were."""
    columns = columns_of(deliveries)
    connection.ensure_connection()
    connection.connection.prepare_threshold = 0  # Django switches preparing off; planning takes longer than the insert
    # psycopg's own cursor: Django's writes every value into the statement's text, which takes longer than the insert.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(INSERT, columns, binary=True).rowcount


def _own_values(delivery: Delivery) -> tuple[object, ...]:
    examined = delivery.examined
    session_id, changed_at = examined.subject
    index = session_index_of(delivery.sender.endpoint_id, session_id) if session_id else ""
    return delivery.id, examined.header.control_id, examined.sha256, changed_at, delivery.at, index


def _shared_values(delivery: Delivery) -> tuple[object, ...]:
    sender, header = delivery.sender, delivery.examined.header
    envelope = header.envelope
    return (
        sender.organization_id,
        sender.endpoint_id,
        sender.certificate_id,
        delivery.transport,
        envelope.sending_application,
        envelope.sending_facility,
        envelope.message_type,
        envelope.trigger,
        delivery.examined.charset,
        " ".join(codes(header, AckCode.ACCEPT)),
    )


def _sealed(deliveries: Sequence[Delivery]) -> list[bytes]:
    """Return the text of each as the model's encrypted column holds it."""
    return crypto.encrypt_all([(_encoded(one.examined.raw), f"{_RAW}|{one.id}") for one in deliveries])


def _encoded(raw: bytes) -> bytes:
    return raw if raw.isascii() else raw.decode(VERBATIM).encode()


def _recognise(delivery: Delivery) -> None:
    """Answer a duplicate like the first time; refuse other content under a known id."""
    control_id, application, facility, endpoint_id = delivery.key
    known = InboundMessage.objects.exclude(state=State.REJECTED).get(
        endpoint_id=endpoint_id,
        sending_application=application,
        sending_facility=facility,
        control_id=control_id,
    )
    if known.sha256 == delivery.examined.sha256:
        InboundMessage.objects.filter(pk=known.pk).update(deliveries=F("deliveries") + 1)
        delivery.verdict = Verdict(code=AckCode(known.ack_code), text="Already received")
        delivery.state = State(known.state)
        return
    delivery.verdict = Verdict(
        code=AckCode.ERROR,
        text="MSH-10 was already used for another message.",
        condition=Condition.DUPLICATE_KEY,
        location="MSH^1^10",
    )
    _store_rejected(delivery, code="hl7.control_id_reused")


def _store_rejected(delivery: Delivery, *, code: str) -> None:
    """Keep that, and why, a message was refused; one row however often it is sent again."""
    delivery.state = State.REJECTED
    endpoint_id, sha256 = delivery.sender.endpoint_id, delivery.examined.sha256
    known = InboundMessage.objects.filter(endpoint_id=endpoint_id, sha256=sha256, state=State.REJECTED, error_code=code)
    if known.update(deliveries=F("deliveries") + 1, received_at=delivery.at):
        return
    row = _rejected_row(delivery, code=code)
    kept = RawRetention.objects.filter(organization_id=row.organization_id, hours__gt=0).values_list("hours", flat=True)
    for hours in kept:
        row.keep_raw(delivery.examined.raw)
        row.raw_until = delivery.at + timedelta(hours=hours)
    row.save(force_insert=True)


def _rejected_row(delivery: Delivery, *, code: str) -> InboundMessage:
    examined, sender, verdict = delivery.examined, delivery.sender, delivery.verdict
    header = examined.header
    envelope = header.envelope
    return InboundMessage(
        id=UUID(delivery.id),
        organization_id=sender.organization_id,
        endpoint_id=sender.endpoint_id,
        certificate_id=sender.certificate_id,
        transport=delivery.transport,
        sending_application=envelope.sending_application,
        sending_facility=envelope.sending_facility,
        control_id=header.control_id,
        sha256=examined.sha256,
        message_type=envelope.message_type,
        trigger=envelope.trigger,
        charset=examined.charset,
        received_at=delivery.at,
        finished_at=delivery.at,
        state=State.REJECTED,
        ack_code=verdict.code,
        answered=" ".join(codes(header, verdict.code)),
        error_code=code,
        error_condition=verdict.condition.code if verdict.condition else "",
        error_location=verdict.location,
        error_text=verdict.text,
        understood=_outline_of(examined.raw),
    )


def _outline_of(raw: bytes) -> dict[str, object]:
    """Return which fields a refused message sent, if it can be taken apart at all."""
    try:
        return {"segments": shape_of(read(raw))}
    except MessageRefused:
        return {}
