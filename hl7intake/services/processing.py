"""Let stored messages take effect: in order for each appointment, side by side for different ones.

Rows are claimed in batches (``SKIP LOCKED``), so any number of workers may do this. A claim counts as an
attempt and hides the row for a while; a worker that dies leaves it to the next one. A message that cannot take
effect is tried five times within seconds, then set aside until somebody replays it; until then, and only about
the same appointment, later messages wait for it.
"""

import logging
from datetime import datetime, timedelta

from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from config_portal.models import FhirEndpoint
from core.models import backoff
from hl7intake.errors import MessageRefused
from hl7intake.examining import read_message
from hl7intake.findings import Finding, FindingCode
from hl7intake.limits import message_limits
from hl7intake.mapping import Coverage, Ended, Meaning, NotForUs, Reason, Scheduled, interpret
from hl7intake.models import InboundMessage, InboundMessageQuerySet
from hl7intake.outline import shape_of
from hl7intake.reader import Message
from hl7intake.rules import Rules
from hl7intake.services.applying import Effect, SessionBusy, apply
from hl7intake.services.senders import rules_for
from hl7intake.services.understood import summary_of

State = InboundMessage.State

BATCH = 50
MAX_ATTEMPTS = 5
FIRST_RETRY = timedelta(seconds=0.5)
LEASE = timedelta(seconds=30)
_BUSY = timedelta(seconds=0.2)

logger = logging.getLogger(__name__)


def apply_due(*, now: datetime, limit: int = BATCH) -> int:
    """Let up to ``limit`` due messages take effect, each in its own transaction; return how many were tried.

    :raises django.db.Error: when the database went away; what was claimed is tried again after a while.
    """
    claimed = _claim(now=now, limit=limit)
    for message in claimed:
        _try(message, now=now)
    return len(claimed)


def next_due_at() -> datetime | None:
    """Return when the next waiting message may be tried, or None when none waits."""
    return _heads().order_by("due_at", "received_at").values_list("due_at", flat=True).first()


def _heads() -> InboundMessageQuerySet:
    """Return the waiting messages that are not preceded by a waiting one about the same appointment."""
    # That the index is not empty is said twice, because only so the partial index over it can be used.
    about_visits = InboundMessage.objects.waiting().exclude(session_index="")
    earlier = about_visits.filter(
        Q(message_at__lt=OuterRef("message_at"))
        | Q(message_at=OuterRef("message_at"), received_at__lt=OuterRef("received_at"))
        | Q(message_at=OuterRef("message_at"), received_at=OuterRef("received_at"), pk__lt=OuterRef("pk")),
        session_index=OuterRef("session_index"),
    )
    return InboundMessage.objects.waiting().filter(Q(session_index="") | ~Exists(earlier))


def _claim(*, now: datetime, limit: int) -> list[InboundMessage]:
    due = _heads().filter(due_at__lte=now).order_by("due_at", "received_at")
    with transaction.atomic():
        claimed = list(due.select_for_update(skip_locked=True)[:limit])
        InboundMessage.objects.filter(pk__in=[row.pk for row in claimed]).update(
            attempts=F("attempts") + 1, due_at=now + LEASE
        )
    # Few endpoints for many messages: each is read once, with what is approved for it.
    related = FhirEndpoint.objects.select_related("organization", "approved_version")
    endpoints = related.in_bulk({row.endpoint_id for row in claimed})
    for row in claimed:
        row.attempts += 1
        if row.endpoint_id in endpoints:  # else it was deleted at this moment: reading it fails, for this row alone
            row.endpoint = endpoints[row.endpoint_id]
    return claimed


def _try(message: InboundMessage, *, now: datetime) -> None:
    try:
        if message.attempts > MAX_ATTEMPTS:
            _quarantine(message, code="hl7.worker_lost", now=now)
        else:
            _apply(message, now=now)
    except SessionBusy:
        _still_mine(message).update(attempts=F("attempts") - 1, due_at=now + _BUSY)
    except MessageRefused as refusal:
        # It was acceptable when it came, and the rules have changed since: trying again changes nothing.
        _quarantine(message, code=refusal.code, now=now)
    except Exception as error:  # our own failure must cost neither this message nor the others
        if isinstance(error, DatabaseFailure) and not _is_connected():
            raise
        _failed(message, error, now=now)


def _apply(message: InboundMessage, *, now: datetime) -> None:
    raw = message.raw_bytes
    assert raw is not None  # noqa: S101 - a waiting message has its text
    rules = rules_for(message.endpoint)
    read = _read(raw, message, rules)
    meaning = _meaning(read, message, rules)
    with transaction.atomic():
        effect = apply(meaning, endpoint=message.endpoint, received_at=message.received_at, now=now)
        understood = {**summary_of(meaning), "segments": shape_of(read)}
        if not _record(message, meaning, effect, understood, now=now):
            transaction.set_rollback(True)  # the claim ran out and somebody else has it: nothing has happened here


def _still_mine(message: InboundMessage) -> InboundMessageQuerySet:
    """Return the claimed row, unless the claim ran out and somebody else has it."""
    return InboundMessage.objects.waiting().filter(pk=message.pk, attempts=message.attempts)


def _read(raw: bytes, message: InboundMessage, rules: Rules | None) -> Message:
    declared = message.charset if message.transport == InboundMessage.Transport.HTTPS else None
    return read_message(raw, rules=rules, limits=message_limits(), charset=declared)


def _meaning(read: Message, message: InboundMessage, rules: Rules | None) -> Meaning:
    if rules is None:
        return NotForUs(reason=Reason.NOT_APPROVED)
    return interpret(read, rules=rules, now=message.received_at)


def _record(
    message: InboundMessage, meaning: Meaning, effect: Effect, understood: dict[str, object], *, now: datetime
) -> bool:
    """Write what the message did into its row, which from then on holds nothing of the message itself.

    :return: whether it was still ours.
    """
    written = _still_mine(message).update(
        state=effect.state,
        reason=effect.reason,
        visit_id=effect.visit_id,
        session_index=effect.session_index,
        message_at=effect.message_at,
        warnings=_warnings(meaning),
        understood=understood,
        start_text=meaning.start_text[:40] if isinstance(meaning, Scheduled) else "",
        error_code="",
        raw=None,
        raw_until=None,
        due_at=None,
        finished_at=now,
    )
    return written == 1


def _warnings(meaning: Meaning) -> list[dict[str, str]]:
    findings = list(meaning.findings) if isinstance(meaning, Scheduled | Ended) else []
    if isinstance(meaning, Scheduled) and meaning.coverage is Coverage.UNCONFIGURED:
        findings.append(Finding(FindingCode.FILTER_EMPTY))
    return [{"code": finding.code, "place": finding.place, "detail": finding.detail} for finding in findings]


def _failed(message: InboundMessage, error: Exception, *, now: datetime) -> None:
    # Only the type: an error's text may quote the message.
    code = f"hl7.apply_failed.{type(error).__name__}"[:80]
    logger.error("message not applied", extra={"error": type(error).__name__, "attempts": message.attempts})
    if message.attempts >= MAX_ATTEMPTS:
        _quarantine(message, code=code, now=now)
    else:
        due_at = now + backoff(message.attempts, first=FIRST_RETRY)
        _still_mine(message).update(error_code=code, due_at=due_at)


def _quarantine(message: InboundMessage, *, code: str, now: datetime) -> None:
    """Set the message aside, text and all, so that later ones about its appointment go on."""
    _still_mine(message).update(state=State.QUARANTINED, error_code=code, due_at=None, finished_at=now)
    logger.error("message quarantined", extra={"reason": code, "attempts": message.attempts})


def _is_connected() -> bool:
    return bool(connection.connection is not None and connection.is_usable())
