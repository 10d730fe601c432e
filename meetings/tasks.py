"""Background work on meetings. Each kind has a task for one row, enqueued at once, and one that sweeps."""

import uuid
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from meetings.services import (
    leases,
    notifications,
    preparing,
    reconciling,
    record_subscriptions,
    retention,
    subscriptions,
    synchronizing,
    tenant,
)


@shared_task(name="meetings.process_notification")
def process_notification(notification_id: str) -> None:
    """Judge one stored notification and act on it."""
    now = timezone.now()
    for notification in notifications.claim_due(now=now, notification_id=uuid.UUID(notification_id)):
        notifications.process(notification, now=now)


@shared_task(name="meetings.process_stored")
def process_stored() -> None:
    """Process every stored notification that is due, such as those that came while Redis was away."""
    now = timezone.now()
    for notification in notifications.claim_due(now=now):
        notifications.process(notification, now=timezone.now())


@shared_task(name="meetings.subscribe")
def subscribe(subscription_id: str) -> None:
    """Take the next step of one subscription."""
    now = timezone.now()
    for subscription in subscriptions.claim_due(now=now, subscription_id=uuid.UUID(subscription_id)):
        subscriptions.advance(subscription, now=now)


@shared_task(name="meetings.subscribe_due")
def subscribe_due() -> None:
    """Create, renew or delete every subscription that is due, or whose key was rotated."""
    subscriptions.follow_rotations(now=timezone.now())
    for subscription in subscriptions.claim_due(now=timezone.now()):
        subscriptions.advance(subscription, now=timezone.now())


@shared_task(name="meetings.watch_call_records")
def watch_call_records() -> None:
    """Create, renew or delete the subscription to the call records of every tenant."""
    record_subscriptions.enter_all(now=timezone.now())
    for subscription in record_subscriptions.claim_due(now=timezone.now()):
        record_subscriptions.advance(subscription, now=timezone.now())


@shared_task(name="meetings.prepare_due")
def prepare_due() -> None:
    """Enter the meetings of visits that begin soon, and make them."""
    if preparing.prepare_due(now=timezone.now()):
        synchronize_due()


@shared_task(name="meetings.synchronize")
def synchronize(meeting_id: str) -> None:
    """Bring one meeting in Teams in line with our books."""
    now = timezone.now()
    for meeting in leases.claim_due(synchronizing.WORK, now=now, meeting_id=uuid.UUID(meeting_id)):
        synchronizing.bring_in_line(meeting, now=now)


@shared_task(name="meetings.synchronize_due")
def synchronize_due() -> None:
    """Bring every meeting in line that is due."""
    for meeting in leases.claim_due(synchronizing.WORK, now=timezone.now()):
        synchronizing.bring_in_line(meeting, now=timezone.now())


@shared_task(name="meetings.reconcile_due")
def reconcile_due() -> None:
    """Read the attendance reports of every meeting that is due."""
    for meeting in leases.claim_due(reconciling.WORK, now=timezone.now()):
        reconciling.reconcile(meeting, now=timezone.now())


@shared_task(name="meetings.purge_notifications")
def purge_notifications() -> None:
    """Remove digests of notifications that nobody will repeat."""
    notifications.purge(now=timezone.now())


@shared_task(name="meetings.warn_of_expiry")
def warn_of_expiry() -> None:
    """Say in time that a certificate or secret for Graph lapses."""
    tenant.warn_of_expiry(now=timezone.now())


@shared_task(name="meetings.purge_identities")
def purge_identities() -> None:
    """Erase who took part in visits that are long over."""
    retention.purge_identities(now=timezone.now(), kept=timedelta(days=settings.VISIT_ID_DAYS))
