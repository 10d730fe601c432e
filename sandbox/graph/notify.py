"""Send change notifications to the subscribers of a meeting, and of a tenant's call records."""

import itertools
import json
import logging
import time
import uuid
from functools import partial
from typing import Any

import requests
from django.conf import settings

from sandbox import faults, keys, ledger
from sandbox.courier import Letter, Policy, courier, is_taken
from sandbox.graph import rich
from sandbox.graph.events import CallEvent, payload
from sandbox.graph.times import graph_time
from sandbox.models import Call, Meeting, Subscription

logger = logging.getLogger(__name__)

# The app id of Microsoft's change tracking service, which signs the validation tokens.
PUBLISHER_APP_ID = "0bf30f3b-4a52-48df-9a82-234910c4a086"
_ANSWER_SECONDS = 3
_FOUR_HOURS = Policy(tries=1000, age_seconds=4 * 3600)
_LATE_SECONDS = 2.0
_TOKEN_SECONDS = 3600

_counter = itertools.count()


def publish(meeting: Meeting, event: CallEvent) -> None:
    """Queue ``event`` for every subscriber; call it in the order in which things happened."""
    for subscription in meeting.subscriptions.all():
        _queue(subscription, partial(_deliver, str(subscription.id), event))


def publish_record(call: Call) -> None:
    """Queue the news that ``call`` has a record; at once, where Microsoft takes minutes to hours."""
    tenant_id = call.meeting.tenant_id
    for subscription in Subscription.objects.filter(meeting=None, tenant_id=tenant_id):
        _queue(subscription, partial(_deliver_record, str(subscription.id), str(call.id)))


def publish_lifecycle(subscription: Subscription, *, lifecycle_event: str) -> None:
    """Queue a lifecycle notification, such as ``reauthorizationRequired``."""
    letter = partial(_deliver_lifecycle, str(subscription.id), lifecycle_event)
    courier.send(f"graph:{subscription.id}:lifecycle", letter, policy=_FOUR_HOURS)


def _queue(subscription: Subscription, letter: Letter) -> None:
    fault = faults.get("graph.notifications")
    if fault == "drop":
        return
    if fault == "reorder" and next(_counter) % 2 == 0:
        courier.send(f"graph:{subscription.id}:late", letter, policy=_FOUR_HOURS, delay=_LATE_SECONDS)
        return
    for _ in range(2 if fault == "duplicate" else 1):
        courier.send(f"graph:{subscription.id}", letter, policy=_FOUR_HOURS)


def _deliver(subscription_id: str, event: CallEvent) -> bool:
    subscription = _live(subscription_id)
    if subscription is None:
        return True
    generation = faults.get("graph.payload") or "newest"
    plain = payload(event, resource=subscription.resource, generation=generation)
    status = _post(subscription.notification_url, _rich_envelope(subscription, plain))
    ledger.record(
        "graph",
        "notification_sent",
        key=subscription.subject,
        event=event.kind.value,
        http_status=status,
        subscription_id=subscription_id,
    )
    return is_taken(status)


def _deliver_record(subscription_id: str, call_id: str) -> bool:
    subscription = _live(subscription_id)
    if subscription is None:
        return True
    path = f"{subscription.resource}/{call_id}"
    data = {"@odata.type": "#Microsoft.Graph.callrecord", "@odata.id": path, "id": call_id}
    value = {**_head(subscription), "changeType": "updated", "resource": path, "resourceData": data}
    status = _post(subscription.notification_url, {"value": [value]})
    ledger.record(
        "graph", "record_announced", key=call_id, http_status=status, subscription_id=subscription_id
    )  # fmt: skip
    return is_taken(status)


def _deliver_lifecycle(subscription_id: str, lifecycle_event: str) -> bool:
    subscription = _live(subscription_id)
    if subscription is None or not subscription.lifecycle_url:
        return True
    value = {**_head(subscription), "lifecycleEvent": lifecycle_event}
    status = _post(
        subscription.lifecycle_url, {"value": [value], "validationTokens": [_validation_token(subscription)]}
    )
    ledger.record(
        "graph",
        "lifecycle_sent",
        key=subscription.subject,
        event=lifecycle_event,
        http_status=status,
        subscription_id=subscription_id,
    )
    return is_taken(status)


def _live(subscription_id: str) -> Subscription | None:
    subscription = Subscription.objects.select_related("meeting").filter(pk=subscription_id).first()
    return subscription if subscription is not None and subscription.is_live() else None


def _rich_envelope(subscription: Subscription, plain: dict[str, Any]) -> dict[str, Any]:
    encrypted = rich.encrypt(
        json.dumps(plain).encode(),
        certificate=subscription.certificate,
        certificate_id=subscription.certificate_id,
    )
    value = {
        **_head(subscription),
        "changeType": "updated",
        "resourceData": {
            "@odata.id": subscription.resource,
            "@odata.type": "#microsoft.graph.callevent",
            "id": plain["id"],
        },
        "encryptedContent": encrypted,
    }
    return {"value": [value], "validationTokens": [_validation_token(subscription)]}


def _head(subscription: Subscription) -> dict[str, Any]:
    client_state = subscription.client_state
    if faults.get("graph.notifications") == "wrong_client_state":
        client_state = f"{client_state}-not-yours"
    return {
        "subscriptionId": str(subscription.id),
        "clientState": client_state,
        "tenantId": subscription.tenant_id,
        "organizationId": subscription.tenant_id,
        "resource": subscription.resource,
        "subscriptionExpirationDateTime": graph_time(subscription.expires_at),
    }


def _validation_token(subscription: Subscription) -> str:
    now = int(time.time())
    return keys.sign(
        {
            "iss": f"{settings.SANDBOX_URL}/entra-sts/{subscription.tenant_id}/",
            "aud": subscription.app_id,
            "appid": PUBLISHER_APP_ID,
            "tid": subscription.tenant_id,
            "iat": now,
            "nbf": now,
            "exp": now + _TOKEN_SECONDS,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
    )


def _post(url: str, body: dict[str, Any]) -> int:
    """Return the status the subscriber answered with, 0 when it did not within three seconds."""
    try:
        return requests.post(url, json=body, timeout=_ANSWER_SECONDS, allow_redirects=False).status_code
    except requests.RequestException as error:
        logger.warning("a notification was not taken: %s", type(error).__name__)
        return 0
