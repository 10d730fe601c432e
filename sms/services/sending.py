"""Send what is due: claim, look again, hand over, record (ADR 2, ADR 14).

One worker keeps hundreds of calls under way: while some are being answered, the next batch is claimed. Each
text is committed as ``sending`` with its way before its call begins, so any worker may die at any moment.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from core import http, outbox
from core.errors import ConnectorError
from sms.models import SmsMessage
from sms.providers.base import Acceptance, OutgoingText
from sms.services import limits, metering, opt_outs, outcomes, pace, recording
from sms.services.carrier import Carrier, NotHandedOver, Prepared, Result
from sms.services.health import Breakers, Outcome
from sms.services.preparing import Batch, NotNow, NotToBeSent, Ready, by_number
from sms.services.recording import Ended, Waiting
from visits.models import PatientContact, Visit

BATCH = 250
PARALLEL = 512
# A call ends after 30 s at most (core.http) and is not begun later than 30 s before the lease ends: whoever takes a
# text up after that knows that nobody is handing it over.
LEASE = timedelta(seconds=90)
RUN_SECONDS = 10.0  # a worker that is asked to stop waits for its task
_COLLECT_SECONDS = 0.05

State = SmsMessage.State
Clock = Callable[[], datetime]

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Sorted:
    """A claimed batch, sorted by what is to be done with each text."""

    ready: list[Ready] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)


def deliver_due(*, now: datetime, seconds: float = RUN_SECONDS) -> int:
    """Send what is due for up to ``seconds`` and return how many texts were claimed.

    Ends earlier when nothing more is due. ``now`` is when it begins; the clock runs on from there.
    """
    clock = clock_from(now)
    claimed = claim(now=now, limit=BATCH)
    if not claimed:
        return 0
    count = len(claimed)
    with Carrier(parallel=PARALLEL) as carrier:
        carrier.take(prepare(claimed, now=clock()))
        is_drained = len(claimed) < BATCH
        while not is_drained or carrier.under_way:
            if not is_drained and 2 * PARALLEL - carrier.under_way >= BATCH:
                claimed = claim(now=clock(), limit=BATCH)
                count += len(claimed)
                is_drained = len(claimed) < BATCH or clock() - now > timedelta(seconds=seconds)
                carrier.take(prepare(claimed, now=clock()))
            record(carrier.collect(wait=_COLLECT_SECONDS if carrier.under_way else 0), now=clock())
    return count


def claim(*, now: datetime, limit: int) -> list[SmsMessage]:
    """Claim up to ``limit`` due texts, with their visits and contacts.

    Those are read afterwards by their ids: joined into the claim, they could tempt the planner to read all of them.
    """
    # By the clock that also runs while we are stopped, and from before the lease begins.
    hand_over_before = time.monotonic() + LEASE.total_seconds() - http.WHOLE_SECONDS
    claimed = outbox.claim(SmsMessage.objects.due_before(now), now=now, limit=limit, lease=LEASE)
    visits = Visit.objects.in_bulk({text.visit_id for text in claimed})
    contacts = PatientContact.objects.in_bulk({text.contact_id for text in claimed if text.contact_id})
    for text in claimed:
        text.hand_over_before = hand_over_before
        text.visit = visits[text.visit_id]
        text.contact = contacts.get(text.contact_id) if text.contact_id else None
    return claimed


def prepare(claimed: Sequence[SmsMessage], *, now: datetime) -> list[Prepared]:
    """Look again at ``claimed``, settle what does not go, and return what does, written down as going."""
    if not claimed:
        return []
    found = _sort(claimed, now=now)
    _keep_to_health(found, now=now)
    _keep_to_caps(found, now=now)
    _keep_to_pace(found, now=now)
    recording.put_back(found.waiting)
    recording.end(found.ended, now=now)
    metering.count((_ended(item) for item in found.ended), now=now)
    return _calls(recording.mark_sending(found.ready, now=now), found, now=now)


def record(results: Sequence[tuple[Prepared, Result]], *, now: datetime) -> None:
    """Write down what suppliers answered."""
    if not results:
        return
    accepted = [(item, result.message_id) for item, result in results if isinstance(result, Acceptance)]
    failed = [(item, result) for item, result in results if isinstance(result, ConnectorError)]
    recording.accept(accepted, now=now)
    _put_back_overdue([item.message for item, result in results if isinstance(result, NotHandedOver)], now=now)
    lateness = {item.message.pk: _late_seconds(item.message, now) for item, _ in accepted}
    metering.count(
        (
            metering.Outcome(
                supplier=item.message.supplier, state=State.ACCEPTED, late_seconds=lateness[item.message.pk]
            )
            for item, _ in accepted
        ),
        now=now,
    )
    for item, error in failed:
        _record_failure(item.message, error, to=item.text.to, has_second_way=item.has_second_way, now=now)
    _note_health(results, now=now)


def text_of(item: Ready, *, now: datetime) -> OutgoingText:
    """Return what is handed to the supplier."""
    message = item.message
    return OutgoingText(
        to=item.phone,
        sender=item.way.number.number,
        body=item.body,
        key=message.key,
        reference=str(message.pk),
        first_sent_at=message.first_sent_at or now,
        receipt_url=f"{settings.PUBLIC_URL}/webhooks/twilio/status/{message.pk}",
        messaging_service=item.way.number.messaging_service_sid,
        valid_seconds=int((message.expires_at - now).total_seconds()),
    )


def clock_from(now: datetime) -> Clock:
    """Return a clock that stands at ``now`` and runs on."""
    started = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - started)


def _sort(claimed: Sequence[SmsMessage], *, now: datetime) -> Sorted:
    batch, found = Batch(claimed, now=now), Sorted()
    for message in claimed:
        try:
            found.ready.append(batch.ready(message))
        except NotToBeSent as reason:
            found.ended.append(Ended(message=message, state=reason.state, code=reason.code))
        except NotNow as reason:
            found.waiting.append(Waiting(message=message, until=reason.until, code=reason.code))
    return found


def _keep_to_health(found: Sorted, *, now: datetime) -> None:
    """Let no text go where calls keep failing, but for one that tries."""
    breakers, going = Breakers(now=now), []
    for item in found.ready:
        until = breakers.closed_until(item.way.number.supplier, item.way.number.pk)
        if until is None:
            going.append(item)
        elif _has_second_way(item) and item.message.route == SmsMessage.FIRST_ROUTE:
            _send_second_way(item.message, now=now)
        else:
            found.waiting.append(Waiting(message=item.message, until=until, code="sms.supplier_failing"))
    found.ready = going


def _keep_to_caps(found: Sorted, *, now: datetime) -> None:
    """Let no organization send more in a day than it set for itself."""
    wanted = Counter(item.message.organization_id for item in found.ready)
    caps = {item.message.organization_id: int(item.choices["organization_cap"]) for item in found.ready}
    left: Counter[UUID] = Counter()
    for organization_id, count in wanted.items():
        left[organization_id] = limits.reserve(organization_id, wanted=count, cap=caps[organization_id], now=now)
    going = []
    for item in found.ready:
        organization_id = item.message.organization_id
        if left[organization_id] > 0:
            left[organization_id] -= 1
            going.append(item)
        else:
            until = now + timedelta(minutes=10)
            found.waiting.append(Waiting(message=item.message, until=until, code="sms.organization_cap"))
    found.ready = going


def _keep_to_pace(found: Sorted, *, now: datetime) -> None:
    """Let no number send faster than carriers take from it."""
    going: list[Ready] = []
    for group in by_number(found.ready).values():
        way = group[0].way
        may_go, later = pace.turns(way.number, [item.segments for item in group], per_minute=way.per_minute, now=now)
        going += group[:may_go]
        for item, until in zip(group[may_go:], later, strict=True):
            found.waiting.append(Waiting(message=item.message, until=until, code="sms.paced"))
        if later:
            limits.give_back(group[0].message.organization_id, count=len(later), now=now)
    found.ready = going


def _calls(going: Sequence[Ready], found: Sorted, *, now: datetime) -> list[Prepared]:
    """Return the calls to make; a visit that changed since the claim takes its text with it."""
    kept = {item.message.pk for item in going}
    stale = [item.message for item in found.ready if item.message.pk not in kept]
    recording.end([Ended(message=each, state=State.WITHDRAWN, code="sms.visit_changed") for each in stale], now=now)
    return [each for item in going if (each := _prepared(item, now=now))]


def _prepared(item: Ready, *, now: datetime) -> Prepared | None:
    """Return the call for ``item``; None when it cannot even be made, which is written down."""
    text = text_of(item, now=now)
    try:
        call = item.way.provider.request(text)
    except ConnectorError as error:  # no token to make it with
        _record_failure(item.message, error, to=text.to, has_second_way=_has_second_way(item), now=now)
        return None
    return Prepared(
        message=item.message,
        text=text,
        provider=item.way.provider,
        call=call,
        has_second_way=_has_second_way(item),
    )


def _has_second_way(item: Ready) -> bool:
    return bool(item.choices.get("failover_number"))


def _send_second_way(message: SmsMessage, *, now: datetime) -> None:
    outbox.finish(
        message, state=State.PENDING, now=now, due_at=now, route=SmsMessage.SECOND_ROUTE, attempts=0, first_sent_at=None
    )


def _record_failure(
    message: SmsMessage, error: ConnectorError, *, to: str, has_second_way: bool, now: datetime
) -> None:
    logger.warning("text not accepted", extra={"text": str(message.pk), "code": error.code})
    after = outcomes.after_error(message, error, has_second_way=has_second_way, now=now)
    values = dict(after.values)
    if after.state == State.PENDING:
        values |= {"due_at": after.due_at, "finished_at": None}
        if not after.is_attempt:
            values["attempts"] = max(message.attempts - 1, 0)
        limits.give_back(message.organization_id, count=1, now=now)
    outbox.finish(message, state=after.state, now=now, error_code=error.code, **values)
    if after.is_opt_out:
        opt_outs.opt_out(message.organization_id, to, source="supplier")
    metering.count([metering.Outcome(supplier=message.supplier, state=after.state, code=error.code)], now=now)


def _put_back_overdue(messages: Sequence[SmsMessage], *, now: datetime) -> None:
    """Let texts wait again that came to their turn too late; one that somebody took up meanwhile is theirs."""
    recording.put_back([Waiting(message=each, until=now, code="sms.worker_delayed") for each in messages])
    for organization_id, count in Counter(each.organization_id for each in messages).items():
        limits.give_back(organization_id, count=count, now=now)


def _note_health(results: Iterable[tuple[Prepared, Result]], *, now: datetime) -> None:
    said: list[Outcome] = []
    for item, result in results:
        number = item.message.number
        error = result if isinstance(result, ConnectorError) else None
        if number is None or isinstance(result, NotHandedOver):
            continue
        outcome = outcomes.health_of(error, supplier=number.supplier, number_id=number.pk)
        if outcome is not None:
            said.append(outcome)
    Breakers(now=now).note(said, now=now)


def _ended(item: Ended) -> metering.Outcome:
    return metering.Outcome(supplier="", state=item.state, code=item.code)


def _late_seconds(message: SmsMessage, now: datetime) -> float:
    return max((now - message.due_at).total_seconds(), 0.0)
