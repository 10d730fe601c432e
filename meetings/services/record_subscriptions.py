"""Keep one Graph subscription to the call records of each tenant alive: create, renew, make anew when lost, delete.

Who is told of a record fetches that one; the hourly sweep of the reports goes on beside it (ADR 22).
"""

import logging
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from config_portal.models import Organization, TeamsTenant
from core import outbox
from core.errors import ConfigurationError, ConnectorError, UpstreamRejected
from meetings.models import RecordSubscription
from meetings.providers.base import LiveSubscription, RecordSubscriptionRequest
from meetings.providers.teams.record_subscriptions import LONGEST_LIFE
from meetings.services.suppliers import provider_of_tenant

# The margin absorbs a clock of ours that runs ahead.
LIFE = LONGEST_LIFE - timedelta(minutes=5)
RENEW_BEFORE = timedelta(hours=12)
# A permission that a person has to grant is not there a minute later.
REFUSED_AGAIN_AFTER = timedelta(hours=1)
_NOT_FOUND = 404

logger = logging.getLogger(__name__)


def enter_all(*, now: datetime) -> None:
    """Give each tenant and application its subscription; what nobody wants any more becomes due, to be ended."""
    wanted = _wanted()
    bound = RecordSubscription.objects.values_list("tenant_id", flat=True)
    missing = [RecordSubscription(tenant_id=pk, due_at=now) for pk in wanted - set(bound)]
    RecordSubscription.objects.bulk_create(missing, ignore_conflicts=True)
    ended = RecordSubscription.objects.filter(state=RecordSubscription.ENDED, tenant__in=wanted)
    ended.update(state=RecordSubscription.PENDING, due_at=now, attempts=0, graph_id="", expires_at=None)
    resting = RecordSubscription.objects.filter(state=RecordSubscription.PENDING, due_at__gt=now)
    resting.exclude(tenant__in=wanted).update(due_at=now)
    resting.exclude(graph_id="").exclude(notification_url=_notification_url()).update(due_at=now)


def claim_due(*, now: datetime) -> list[RecordSubscription]:
    """Claim the subscriptions whose next action is due; claims that were abandoned come back first."""
    RecordSubscription.objects.abandoned_before(now).update(state=RecordSubscription.PENDING, due_at=now)
    return outbox.claim(RecordSubscription.objects.due_before(now).select_related("tenant"), now=now)


def advance(subscription: RecordSubscription, *, now: datetime) -> None:
    """Take the next step of a claimed subscription; failures are tried again, later where a person must act."""
    tenant = subscription.tenant
    is_same_application = subscription.client_id == tenant.client_id
    try:
        if tenant.pk not in _wanted():
            _end(subscription, now=now)
        elif is_same_application and subscription.is_live(now=now):
            _renew_or_move(subscription, now=now)
        else:
            _create(subscription, now=now)
    except ConnectorError as error:
        logger.warning("call records not subscribed to", extra={"code": error.code, "tenant": str(tenant.pk)})
        after = getattr(error, "retry_after", None)
        if isinstance(error, ConfigurationError):
            after = REFUSED_AGAIN_AFTER.total_seconds()
        outbox.retry_later(subscription, now=now, error_code=error.code, after=after)


def look_again(subscription: RecordSubscription, *, now: datetime) -> None:
    """Let the subscription be renewed now, as Graph asks for."""
    RecordSubscription.objects.filter(pk=subscription.pk, state=RecordSubscription.PENDING).update(due_at=now)


def made_anew(subscription: RecordSubscription, *, now: datetime) -> None:
    """Forget what Graph has removed, so that the next step makes it anew."""
    RecordSubscription.objects.filter(pk=subscription.pk).update(graph_id="", due_at=now)


def organizations_of(subscription: RecordSubscription) -> QuerySet[Organization]:
    """Return the organizations whose meetings are held by the subscription's application in its tenant."""
    tenant = subscription.tenant
    return Organization.objects.filter(
        teams_tenant__tenant_id=tenant.tenant_id, teams_tenant__client_id=subscription.client_id
    )


def subscription_of(organization: Organization) -> RecordSubscription | None:
    """Return the subscription that tells of the organization's calls, its own or a shared one."""
    tenant = TeamsTenant.objects.filter(organization=organization).exclude(client_id=None).first()
    if tenant is None:
        return None
    same = Q(tenant__tenant_id=tenant.tenant_id, tenant__client_id=tenant.client_id)
    return RecordSubscription.objects.filter(same).exclude(state=RecordSubscription.ENDED).first()


def _wanted() -> set[uuid.UUID]:
    """Return the tenants to be subscribed for: the first of each that share tenant and application."""
    if not settings.GRAPH_CALL_RECORD_EVENTS:
        return set()
    proven = Q(certificate__gt="") | Q(client_secret__isnull=False)
    ready = TeamsTenant.objects.filter(proven).exclude(client_id=None)
    first = ready.order_by("tenant_id", "client_id", "pk").distinct("tenant_id", "client_id")
    return set(first.values_list("pk", flat=True))


def _create(subscription: RecordSubscription, *, now: datetime) -> None:
    request = RecordSubscriptionRequest(
        notification_url=_notification_url(),
        lifecycle_url=settings.PUBLIC_URL + reverse("meetings:graph-lifecycle"),
        client_state=subscription.client_state,
        expires_at=now + LIFE,
    )
    _keep(subscription, provider_of_tenant(subscription.tenant).subscribe_to_records(request), now=now)


def _notification_url() -> str:
    return f"{settings.PUBLIC_URL}{reverse('meetings:graph-notifications')}"


def _renew_or_move(subscription: RecordSubscription, *, now: datetime) -> None:
    """Prolong it; one whose news go to an address that is ours no longer is made anew."""
    if subscription.notification_url == _notification_url():
        _renew(subscription, now=now)
        return
    provider_of_tenant(subscription.tenant).unsubscribe_from_records(subscription.graph_id)
    _create(subscription, now=now)


def _renew(subscription: RecordSubscription, *, now: datetime) -> None:
    try:
        live = provider_of_tenant(subscription.tenant).renew_records(subscription.graph_id, expires_at=now + LIFE)
    except UpstreamRejected as error:
        if error.status != _NOT_FOUND:
            raise
        _create(subscription, now=now)  # Graph has lost it
        return
    _keep(subscription, live, now=now)


def _keep(subscription: RecordSubscription, live: LiveSubscription, *, now: datetime) -> None:
    outbox.finish(
        subscription,
        state=RecordSubscription.PENDING,
        now=now,
        due_at=max(live.expires_at - RENEW_BEFORE, now + timedelta(minutes=1)),
        attempts=0,
        graph_id=live.id,
        expires_at=live.expires_at,
        client_id=subscription.tenant.client_id,
        notification_url=_notification_url(),
    )


def _end(subscription: RecordSubscription, *, now: datetime) -> None:
    """Delete it at Graph, where we still can; otherwise it lapses."""
    tenant = subscription.tenant
    if subscription.is_live(now=now) and subscription.client_id == tenant.client_id and tenant.has_credential:
        provider_of_tenant(tenant).unsubscribe_from_records(subscription.graph_id)
    outbox.finish(subscription, state=RecordSubscription.ENDED, now=now, graph_id="", expires_at=None)
