"""Change notifications about who is in a meeting.

API: Microsoft Graph **beta** ``/subscriptions`` on ``communications/onlineMeetings/meetingCallEvents``; v1.0 has
no such resource. One subscription per application and meeting, three days at most.
Documentation: learn.microsoft.com/graph/changenotifications-for-onlinemeeting. Checked: 2026-11-24.
"""

import base64
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.errors import UpstreamRejected
from core.http import json_object
from meetings.providers.base import EncryptionKey, LiveSubscription, RecordSubscriptionRequest, SubscriptionRequest
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.graph import PREFER_NEW_MEMBERS, SYSTEM, GraphCall, call, segment
from meetings.providers.teams.meetings import graph_time

LONGEST_LIFE = timedelta(days=3)
_PATH = "/beta/subscriptions"
_PERMISSION = "OnlineMeetings.Read.All"
NOT_FOUND, CONFLICT = 404, 409


def subscribe(connection: TeamsConnection, session: requests.Session, request: SubscriptionRequest) -> LiveSubscription:
    """Subscribe; when Graph says that we have done so before, take that subscription over.

    Graph calls both of our addresses and waits ten seconds for the echo before it answers.
    """
    resource = resource_of(request.join_web_url)
    body = {
        "changeType": "updated",
        "resource": resource,
        "includeResourceData": True,
        "notificationUrl": request.notification_url,
        "lifecycleNotificationUrl": request.lifecycle_url,
        "expirationDateTime": graph_time(request.expires_at),
        "clientState": request.client_state,
        **_encryption(request.key),
    }
    wanted = GraphCall(method="POST", path=_PATH, json=body, headers=PREFER_NEW_MEMBERS, permission=_PERMISSION)
    try:
        return live_of(call(connection, session, wanted))
    except UpstreamRejected as error:
        if error.status != CONFLICT:
            raise
    old = find(connection, session, resource, path=_PATH, permission=_PERMISSION)
    if old is not None and is_ours(old, request):
        return renew(connection, session, str(old["id"]), expires_at=request.expires_at, key=request.key)
    if old is not None:
        unsubscribe(connection, session, str(old["id"]))
    return live_of(call(connection, session, wanted))


def renew(
    connection: TeamsConnection,
    session: requests.Session,
    subscription_id: str,
    *,
    expires_at: datetime,
    key: EncryptionKey | None = None,
) -> LiveSubscription:
    """Prolong a subscription; a new key goes into the same request, as Graph documents for rotation."""
    body = {"expirationDateTime": graph_time(expires_at), **(_encryption(key) if key else {})}
    path = f"{_PATH}/{segment(subscription_id)}"
    return live_of(call(connection, session, GraphCall(method="PATCH", path=path, json=body, permission=_PERMISSION)))


def unsubscribe(connection: TeamsConnection, session: requests.Session, subscription_id: str) -> None:
    """Delete a subscription; one that is gone already is fine."""
    path = f"{_PATH}/{segment(subscription_id)}"
    try:
        call(connection, session, GraphCall(method="DELETE", path=path, permission=_PERMISSION))
    except UpstreamRejected as error:
        if error.status != NOT_FOUND:
            raise


def resource_of(join_web_url: str) -> str:
    """Return the resource of a meeting: the join address, encoded already, is encoded once more."""
    return f"communications/onlineMeetings(joinWebUrl='{quote(join_web_url, safe='')}')/meetingCallEvents"


def _encryption(key: EncryptionKey) -> dict[str, str]:
    der = x509.load_pem_x509_certificate(key.certificate.encode()).public_bytes(Encoding.DER)
    return {"encryptionCertificate": base64.b64encode(der).decode(), "encryptionCertificateId": key.key_id}


def find(
    connection: TeamsConnection, session: requests.Session, resource: str, *, path: str, permission: str
) -> dict[str, Any] | None:
    """Return the application's subscription to ``resource`` as Graph lists it; None without one."""
    response = call(connection, session, GraphCall(method="GET", path=path, permission=permission))
    found = json_object(response, system=SYSTEM).get("value", [])
    wanted = resource.lower().lstrip("/")
    return next((row for row in found if str(row.get("resource", "")).lower().lstrip("/") == wanted), None)


def is_ours(old: dict[str, Any], request: SubscriptionRequest | RecordSubscriptionRequest) -> bool:
    """Whether notifications of ``old`` come to us with the secret we know; Graph may withhold the secret."""
    is_same_secret = old.get("clientState") in {None, request.client_state}
    return is_same_secret and old.get("notificationUrl") == request.notification_url


def live_of(response: requests.Response) -> LiveSubscription:
    """Return the subscription in Graph's answer."""
    body = json_object(response, system=SYSTEM)
    return LiveSubscription(
        id=str(body["id"]), expires_at=datetime.fromisoformat(str(body["expirationDateTime"]).replace("Z", "+00:00"))
    )
