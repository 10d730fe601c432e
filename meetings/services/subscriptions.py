"""Keep one Graph subscription alive for each meeting while it matters: create, renew, rotate its key, delete.

It begins shortly before the visit may be joined, or when somebody goes in earlier.
"""

import logging
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from config_portal.models import SigningKey
from config_portal.services.connections import ApprovedConfiguration
from config_portal.services.keys import active_key
from core import outbox
from core.errors import ConnectorError, UpstreamRejected
from meetings.models import Meeting, Participant, Subscription
from meetings.models.graph import new_client_state
from meetings.providers.base import EncryptionKey, LiveSubscription, SubscriptionRequest
from meetings.services.suppliers import provider_of

# Graph allows three days; the margin absorbs a clock of ours that runs ahead.
LIFE = timedelta(days=3) - timedelta(minutes=5)
RENEW_BEFORE = timedelta(hours=12)
# How long after a visit's planned end somebody may still be in it or come back to it.
OVER_AFTER = timedelta(hours=4)
UNPLANNED_LASTS = timedelta(hours=24)
STILL_THERE = timedelta(minutes=30)
# Listening begins this long before a visit may be joined.
LISTEN_AHEAD = timedelta(minutes=10)
_NOT_FOUND = 404

logger = logging.getLogger(__name__)


def begin(meeting: Meeting, *, now: datetime) -> None:
    """Store the row that keeps ``meeting`` subscribed, due at once; the caller holds the lock and has read none."""
    if getattr(meeting, "subscription", None) is None:
        Subscription.objects.create(meeting=meeting, due_at=now)
    else:
        ensure_subscription(meeting, now=now)


def ensure_subscription(meeting: Meeting, *, now: datetime) -> Subscription:
    """Return the row that keeps ``meeting`` subscribed, due at once unless it is at work already.

    It is not read again where the caller has read it with the meeting.
    """
    subscription = getattr(meeting, "subscription", None)
    if subscription is None:
        subscription, _ = Subscription.objects.get_or_create(meeting=meeting, defaults={"due_at": now})
    if subscription.state == Subscription.ENDED:
        subscription.state, subscription.due_at, subscription.attempts = Subscription.PENDING, now, 0
        subscription.graph_id, subscription.client_state = "", new_client_state()
        subscription.save()
    return subscription


def look_again(meeting: Meeting, *, now: datetime) -> None:
    """Let the subscription of ``meeting`` be looked at now: the meeting has changed."""
    Subscription.objects.filter(meeting=meeting, state=Subscription.PENDING).update(due_at=now)


def look(meeting: Meeting, *, now: datetime) -> None:
    """Take the next step of the subscription of ``meeting`` if it is due; a failure is tried again later."""
    for claimed in claim_due(now=now, subscription_id=meeting.subscription.pk):
        advance(claimed, now=now)


def listen_now(meeting: Meeting, *, now: datetime) -> None:
    """Subscribe before somebody is sent into ``meeting``: Graph does not repeat what came before.

    It does nothing when we listen already or a worker is about it; a failure is tried again in the background.
    """
    subscription = ensure_subscription(meeting, now=now)
    if subscription.is_live(now=now) or subscription.is_claimed(now=now):
        return
    if subscription.due_at > now:
        look_again(meeting, now=now)
    for claimed in claim_due(now=now, subscription_id=subscription.pk):
        advance(claimed, now=now, somebody_comes=True)


def follow_rotations(*, now: datetime) -> int:
    """Let every live subscription whose key is no longer the one in use be renewed now; return how many."""
    live = Subscription.objects.filter(state=Subscription.PENDING, expires_at__gt=now, due_at__gt=now)
    return live.exclude(key=None).exclude(key__state=SigningKey.State.ACTIVE).update(due_at=now)


def claim_due(*, now: datetime, subscription_id: uuid.UUID | None = None) -> list[Subscription]:
    """Claim the subscriptions whose next action is due; all, or one. Claims that were abandoned come back first."""
    wanted = Subscription.objects.all() if subscription_id is None else Subscription.objects.filter(pk=subscription_id)
    wanted.abandoned_before(now).update(state=Subscription.PENDING, due_at=now)
    due = wanted.due_before(now).select_related("meeting__organization", "meeting__visit__endpoint__approved_version")
    return outbox.claim(due, now=now)


def advance(subscription: Subscription, *, now: datetime, somebody_comes: bool = False) -> None:
    """Take the next step of a claimed subscription; failures are tried again with growing distance.

    :param somebody_comes: listen now, although the visit may be days away.
    """
    meeting = subscription.meeting
    try:
        if _is_over(meeting, now=now) or not settings.GRAPH_MEETING_EVENTS:
            _end(subscription, now=now)
        elif not somebody_comes and _is_early(meeting, now=now):
            _rest(subscription, now=now)
        elif subscription.graph_id and subscription.expires_at is not None and subscription.expires_at > now:
            _renew(subscription, now=now)
        else:
            _create(subscription, now=now)
    except ConnectorError as error:
        logger.warning("subscription not kept", extra={"code": error.code, "meeting": str(subscription.meeting_id)})
        after = getattr(error, "retry_after", None)
        outbox.retry_later(subscription, now=now, error_code=error.code, after=after)


def over_at(meeting: Meeting) -> datetime:
    """Return when nobody is expected in ``meeting`` any more."""
    ends_at = meeting.visit.ends_at
    return ends_at + OVER_AFTER if ends_at is not None else meeting.created_at + UNPLANNED_LASTS


def listens_from(meeting: Meeting) -> datetime | None:
    """Return when to begin to listen: shortly before the window opens; None for a visit without a time."""
    visit = meeting.visit
    version = visit.endpoint.approved_version
    if visit.starts_at is None or version is None:
        return None
    before, _ = ApprovedConfiguration(visit.endpoint_id, version.snapshot).join_window  # also of a paused one
    return visit.starts_at - before - LISTEN_AHEAD


def _is_early(meeting: Meeting, *, now: datetime) -> bool:
    """Whether nobody is there or on the way, and nobody will be for a while."""
    begins = listens_from(meeting)
    if begins is None or begins <= now or _is_anybody_there(meeting):
        return False
    return not meeting.participants.filter(expected_at__gt=now - STILL_THERE).exists()


def _is_over(meeting: Meeting, *, now: datetime) -> bool:
    if not meeting.is_joinable:
        return True
    return now >= over_at(meeting) and not _is_anybody_there(meeting)


def _is_anybody_there(meeting: Meeting) -> bool:
    there = (Participant.State.WAITING, Participant.State.CONNECTED)
    return meeting.participants.filter(state__in=there).exists()


def _rest(subscription: Subscription, *, now: datetime) -> None:
    """Do nothing until shortly before the visit; a subscription that is live until then may lapse."""
    outbox.finish(
        subscription, state=Subscription.PENDING, now=now, due_at=listens_from(subscription.meeting), attempts=0
    )


def _create(subscription: Subscription, *, now: datetime) -> None:
    meeting = subscription.meeting
    key = _current_key(meeting)
    request = SubscriptionRequest(
        join_web_url=meeting.join_web_url,
        notification_url=settings.PUBLIC_URL + reverse("meetings:graph-notifications"),
        lifecycle_url=settings.PUBLIC_URL + reverse("meetings:graph-lifecycle"),
        client_state=subscription.client_state,
        key=_as_plain(key),
        expires_at=now + LIFE,
    )
    _keep(subscription, provider_of(meeting).subscribe(request), key=key, now=now)


def _renew(subscription: Subscription, *, now: datetime) -> None:
    meeting = subscription.meeting
    key = _current_key(meeting)
    is_rotation = key.pk != subscription.key_id
    try:
        live = provider_of(meeting).renew(
            subscription.graph_id, expires_at=now + LIFE, key=_as_plain(key) if is_rotation else None
        )
    except UpstreamRejected as error:
        if error.status != _NOT_FOUND:
            raise
        _create(subscription, now=now)  # Graph has lost it
        return
    _keep(subscription, live, key=key, now=now)


def _keep(subscription: Subscription, live: LiveSubscription, *, key: SigningKey, now: datetime) -> None:
    over = over_at(subscription.meeting)
    next_look = min(live.expires_at - RENEW_BEFORE, over if over > now else now + STILL_THERE)
    outbox.finish(
        subscription,
        state=Subscription.PENDING,
        now=now,
        due_at=max(next_look, now + timedelta(minutes=1)),
        attempts=0,
        graph_id=live.id,
        expires_at=live.expires_at,
        key=key,
    )


def _end(subscription: Subscription, *, now: datetime) -> None:
    if subscription.graph_id:
        provider_of(subscription.meeting).unsubscribe(subscription.graph_id)
    outbox.finish(subscription, state=Subscription.ENDED, now=now, graph_id="", expires_at=None)


def _current_key(meeting: Meeting) -> SigningKey:
    return active_key(
        meeting.organization,
        environment=meeting.visit.endpoint.environment,
        purpose=SigningKey.Purpose.NOTIFICATION,
    )


def _as_plain(key: SigningKey) -> EncryptionKey:
    return EncryptionKey(key_id=key.key_id, certificate=key.certificate)
