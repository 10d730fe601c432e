"""What Graph posts to us: stored first, judged later.

Graph waits three seconds and throttles an endpoint that is slow, so a body is stored as it came and answered.
Everything that does not prove itself is ignored with a reason; Graph, and whoever else may post, learns
nothing of it.
"""

import hashlib
import json
import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from core import outbox
from core.errors import ConnectorError, InvalidMessage
from meetings import signals
from meetings.models import InboundNotification, RecordSubscription, Subscription
from meetings.services import presence, record_subscriptions, subscriptions, verification

Channel = InboundNotification.Channel

# Graph may post before our own commit says that the subscription exists.
UNKNOWN_GRACE = timedelta(minutes=2)
UNKNOWN_RETRY_SECONDS = 5
MOST_ATTEMPTS = 12
# Graph repeats itself for four hours; after a week nobody asks for the digest any more.
KEPT_FOR = timedelta(days=7)

logger = logging.getLogger(__name__)


def store(body: bytes, *, channel: str, now: datetime) -> InboundNotification | None:
    """Keep ``body`` for :func:`process`; None when it cannot be a notification or is here already.

    :param channel: an ``InboundNotification.Channel``.
    """
    if not _is_envelope(body):
        logger.warning("notification ignored", extra={"code": "notification.not_an_envelope", "count": len(body)})
        return None
    digest = hashlib.sha256(channel.encode() + b"\0" + body).hexdigest()
    notification, is_new = InboundNotification.objects.get_or_create(
        sha256=digest,
        defaults={"channel": channel, "raw": body.decode(), "received_at": now, "due_at": now},
    )
    return notification if is_new else None


def claim_due(*, now: datetime, notification_id: uuid.UUID | None = None) -> list[InboundNotification]:
    """Claim stored notifications, all that are due or one; abandoned claims come back first."""
    InboundNotification.objects.abandoned_before(now).update(state=InboundNotification.PENDING, due_at=now)
    due = InboundNotification.objects.due_before(now)
    if notification_id is not None:
        due = due.filter(pk=notification_id)
    return outbox.claim(due, now=now)


def process(notification: InboundNotification, *, now: datetime) -> None:
    """Judge a claimed notification and act on it; its body is wiped in the commit that stores the result."""
    try:
        envelope = json.loads(notification.raw)
        changes = verification.open_envelope(envelope, received_at=notification.received_at)
        with transaction.atomic():
            for change in changes:
                _apply(change, now=now)
            _finish(notification, state=InboundNotification.PROCESSED, now=now)
    except InvalidMessage as error:
        _ignore_or_wait(notification, error, now=now)
    except ConnectorError as error:
        _retry_or_fail(notification, error, now=now)


def purge(*, now: datetime) -> int:
    """Remove finished notifications that are older than a week; return how many went."""
    finished = InboundNotification.objects.exclude(state__in=(InboundNotification.PENDING, InboundNotification.SENDING))
    return finished.filter(received_at__lt=now - KEPT_FOR).delete()[0]


def _apply(change: verification.VerifiedChange, *, now: datetime) -> None:
    subscription = change.subscription
    if isinstance(subscription, RecordSubscription):
        _apply_record(subscription, change, now=now)
    elif change.event is not None:
        presence.record(subscription.meeting, change.event, now=now)
    elif change.lifecycle_event == "subscriptionRemoved":
        Subscription.objects.filter(pk=subscription.pk).update(graph_id="", due_at=now)
    elif change.lifecycle_event == "reauthorizationRequired":
        # A renewal reauthorizes as well, so the next step of the subscription is all that is needed.
        subscriptions.look_again(subscription.meeting, now=now)


def _apply_record(subscription: RecordSubscription, change: verification.VerifiedChange, *, now: datetime) -> None:
    if change.record_id is not None:
        for organization in record_subscriptions.organizations_of(subscription):
            signals.call_recorded.send(
                RecordSubscription, organization=organization, record_id=change.record_id, now=now
            )
    elif change.lifecycle_event == "subscriptionRemoved":
        record_subscriptions.made_anew(subscription, now=now)
    elif change.lifecycle_event == "reauthorizationRequired":
        record_subscriptions.look_again(subscription, now=now)


def _ignore_or_wait(notification: InboundNotification, error: InvalidMessage, *, now: datetime) -> None:
    is_early = error.code == verification.UNKNOWN_SUBSCRIPTION and now < notification.received_at + UNKNOWN_GRACE
    if is_early:
        outbox.retry_later(notification, now=now, error_code=error.code, after=UNKNOWN_RETRY_SECONDS)
        return
    logger.warning("notification ignored", extra={"code": error.code, "outcome": error.detail})
    _finish(notification, state=InboundNotification.IGNORED, now=now, error_code=error.code)


def _retry_or_fail(notification: InboundNotification, error: ConnectorError, *, now: datetime) -> None:
    logger.warning("notification not processed", extra={"code": error.code, "attempts": notification.attempts})
    if notification.attempts >= MOST_ATTEMPTS:
        _finish(notification, state=InboundNotification.FAILED, now=now, error_code=error.code)
    else:
        after = getattr(error, "retry_after", None)
        outbox.retry_later(notification, now=now, error_code=error.code, after=after)


def _finish(notification: InboundNotification, *, state: str, now: datetime, error_code: str = "") -> None:
    outbox.finish(notification, state=state, now=now, error_code=error_code, raw=None)


def _is_envelope(body: bytes) -> bool:
    """Return whether ``body`` looks like notifications at all; keeps rubbish out of the database."""
    try:
        envelope: Any = json.loads(body.decode())
    except (ValueError, RecursionError):
        return False
    values = envelope.get("value") if isinstance(envelope, dict) else None
    return isinstance(values, list) and bool(values) and all(isinstance(value, dict) for value in values)
