"""Write down what is going out, and what came of it: many texts with one statement each.

Every statement repeats the claim (``state`` and ``attempt_id``), so a worker that was overtaken changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from core import phone
from sms.models import SmsMessage
from sms.providers.base import words_index
from sms.services.carrier import Prepared
from sms.services.preparing import Ready

# The visit is looked at once more: a change that was committed since the claim stops the text here.
_MARK = """
    UPDATE sms_smsmessage AS text
       SET first_sent_at = coalesce(text.first_sent_at, %(now)s), supplier = data.supplier,
           number_id = data.number_id, segments = data.segments, number_ending = data.ending,
           words_index = data.words
      FROM unnest(%(ids)s::uuid[], %(attempts)s::uuid[], %(suppliers)s::text[], %(numbers)s::uuid[],
                  %(segments)s::int[], %(endings)s::text[], %(words)s::text[])
           AS data(id, attempt_id, supplier, number_id, segments, ending, words),
           visits_visit AS visit
     WHERE text.id = data.id AND text.state = 'sending' AND text.attempt_id = data.attempt_id
       AND visit.id = text.visit_id AND visit.version = text.visit_version
 RETURNING text.id, text.first_sent_at
"""
_ACCEPT = """
    UPDATE sms_smsmessage AS text
       SET state = 'accepted', supplier_message_id = data.message_id, supplier_code = '', error_code = '',
           accepted_at = %(now)s, finished_at = %(now)s, lease_until = NULL, check_at = NULL
      FROM unnest(%(ids)s::uuid[], %(attempts)s::uuid[], %(message_ids)s::text[])
           AS data(id, attempt_id, message_id)
     WHERE text.id = data.id AND text.state = 'sending' AND text.attempt_id = data.attempt_id
 RETURNING text.id
"""
_PUT_BACK = """
    UPDATE sms_smsmessage AS text
       SET state = 'pending', due_at = data.due_at, error_code = data.code, lease_until = NULL,
           attempts = greatest(text.attempts - 1, 0)
      FROM unnest(%(ids)s::uuid[], %(attempts)s::uuid[], %(due)s::timestamptz[], %(codes)s::text[])
           AS data(id, attempt_id, due_at, code)
     WHERE text.id = data.id AND text.state = 'sending' AND text.attempt_id = data.attempt_id
"""
_END = """
    UPDATE sms_smsmessage AS text
       SET state = data.state, error_code = data.code, finished_at = %(now)s, lease_until = NULL
      FROM unnest(%(ids)s::uuid[], %(attempts)s::uuid[], %(states)s::text[], %(codes)s::text[])
           AS data(id, attempt_id, state, code)
     WHERE text.id = data.id AND text.state = 'sending' AND text.attempt_id = data.attempt_id
"""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A claimed text that goes back to wait; that is no attempt."""

    message: SmsMessage
    until: datetime
    code: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A claimed text that is not sent at all."""

    message: SmsMessage
    state: str
    code: str


def mark_sending(items: Sequence[Ready], *, now: datetime) -> list[Ready]:
    """Write down which way ``items`` go, before any is handed over; return those that still may."""
    values = {
        **_claims(item.message for item in items),
        "now": now,
        "suppliers": [item.way.number.supplier for item in items],
        "numbers": [item.way.number.pk for item in items],
        "segments": [item.segments for item in items],
        "endings": [phone.last_digits(item.phone) for item in items],
        "words": [words_index(item.body) for item in items],
    }
    first_sent_at = dict(_run(_MARK, values))
    going = [item for item in items if item.message.pk in first_sent_at]
    for item in going:
        item.message.first_sent_at = first_sent_at[item.message.pk]
        item.message.supplier, item.message.number = item.way.number.supplier, item.way.number
    return going


def accept(items: Sequence[tuple[Prepared, str]], *, now: datetime) -> None:
    """Write down that suppliers took the texts, under their own ids."""
    _run(
        _ACCEPT,
        {**_claims(item.message for item, _ in items), "now": now, "message_ids": [each for _, each in items]},
    )


def put_back(items: Sequence[Waiting]) -> None:
    """Let claimed texts wait on."""
    _run(
        _PUT_BACK,
        {
            **_claims(item.message for item in items),
            "due": [item.until for item in items],
            "codes": [item.code for item in items],
        },
    )


def end(items: Sequence[Ended], *, now: datetime) -> None:
    """Write down that claimed texts are not sent."""
    _run(
        _END,
        {
            **_claims(item.message for item in items),
            "now": now,
            "states": [str(item.state) for item in items],
            "codes": [item.code for item in items],
        },
    )


def _claims(messages: Iterable[SmsMessage]) -> dict[str, list[UUID | None]]:
    listed = list(messages)
    return {"ids": [message.pk for message in listed], "attempts": [message.attempt_id for message in listed]}


def _run(statement: str, values: dict[str, Any]) -> list[tuple[UUID, datetime]]:
    if not values["ids"]:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
